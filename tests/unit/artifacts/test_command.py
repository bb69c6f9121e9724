"""Exit codes, and errors as one line."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.artifacts.command import run
from components.artifacts.errors import UserError

ROOT = Path(__file__).parents[3]


def raising(error: BaseException | None):
    def main() -> None:
        if error is not None:
            raise error

    return main


@pytest.fixture(autouse=True)
def _keep_the_handler():
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (UserError("the thing at place: do this"), 1, "error: the thing at place: do this\n"),
        (KeyboardInterrupt(), 130, ""),
        (OSError(errno.ENOSPC, "x"), 1, "error: the disk is full: free some space, then run the same command again\n"),
        (OSError(errno.ENOSPC, "x", "/out"), 1, "error: /out: the disk is full: free some space, then run the same"),
        (OSError(errno.EDQUOT, "x"), 1, "error: the disk quota is used up: "),
        (PermissionError(errno.EACCES, "x", "/out"), 1, "error: /out: permission denied: "),
        (PermissionError(errno.EPERM, "x", "/out"), 1, "error: /out: permission denied: "),
        (OSError(errno.EROFS, "x", "/out"), 1, "error: /out: this file system is read-only: "),
        (FileExistsError(errno.EEXIST, "x", "/out"), 1, "error: /out: a file stands where a folder is needed: "),
        (NotADirectoryError(errno.ENOTDIR, "x", "/out"), 1, "error: /out: a file stands where a folder is needed: "),
        (IsADirectoryError(errno.EISDIR, "x", "/in"), 1, "error: /in: this is a folder, but a file is needed: "),
    ],
)
def test_exit_code_and_message(capsys, error, code, said):
    with pytest.raises(SystemExit) as end:
        run(raising(error))
    captured = capsys.readouterr()
    assert end.value.code == code
    assert captured.out == ""
    assert captured.err.startswith(said)
    assert len(captured.err.splitlines()) == (1 if said else 0)


@pytest.mark.parametrize("error", [ValueError("ours"), KeyError("ours"), OSError(errno.EIO, "ours"), OSError("ours")])
def test_a_defect_of_ours_keeps_its_traceback(error):
    with pytest.raises(type(error), match="ours"):
        run(raising(error))


SCRIPT = """
import signal, sys, time
from pathlib import Path
from components.artifacts.command import run
from components.artifacts.files import new_directory

# A shell starts what it puts into the background, these tests for example, with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def main():
    with new_directory(Path(sys.argv[1]), "mark"):
        print("ready", flush=True)
        time.sleep(60)

run(main)
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_process_cleans_up_and_says_by_its_code_how_it_ended(tmp_path, sent, code):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "made")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert [path.name for path in tmp_path.iterdir()] == [".partial-made"]
        process.send_signal(sent)
        _, said = process.communicate(timeout=20)
    assert process.returncode == code
    assert said == ""
    assert list(tmp_path.iterdir()) == []
