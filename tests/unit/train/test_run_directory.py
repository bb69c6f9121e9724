import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.train.run_directory import locked, run_name


def test_the_name_changes_with_everything_that_the_run_depends_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    identity = {"train": {"lr": 0.1}, "dataset_version": "a"}
    name = run_name(identity)
    assert name == run_name({"dataset_version": "a", "train": {"lr": 0.1}})
    assert name != run_name(identity | {"dataset_version": "b"})
    assert name != run_name(identity | {"train": {"lr": 0.2}})
    (tmp_path / "code.py").write_text("other code")
    monkeypatch.setattr("components.bigbigan.__path__", [str(tmp_path)])
    assert name != run_name(identity)


HOLDER = """
import sys, time
from pathlib import Path
from components.train.run_directory import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(directory: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_trainer_waits_and_says_for_whom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    holder = hold(tmp_path, seconds=1.0)
    with locked(tmp_path):
        # The lock is given back as the process ends; a moment later it is gone.
        assert holder.wait(timeout=5) == 0
    assert f"another trainer (process {holder.pid})" in capsys.readouterr().err


def test_the_lock_dies_with_its_holder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    holder = hold(tmp_path, seconds=600)
    holder.kill()
    holder.wait()
    started = time.monotonic()
    with locked(tmp_path):
        pass
    assert time.monotonic() - started < 60
    assert capsys.readouterr().err == ""
