"""A clone of this checkout, as it is in the working tree, in which commands can be run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "1",
    "OMP_NUM_THREADS": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": f"test@{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class Clone:
    """A checkout in a folder of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, command: str, fails: bool = False) -> str:
        """Runs a shell command there and returns what it printed, stdout and stderr together."""
        done = subprocess.run(
            command, shell=True, cwd=self.path, env=ENVIRONMENT, text=True, capture_output=True, timeout=900
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, f"{command} ended with {done.returncode}:\n{output}"
        return output


@pytest.fixture(scope="session")
def make_clone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Clone]:
    """Makes clones whose committed choice is `debug: tiny`: each step runs, in seconds."""

    def make() -> Clone:
        path = tmp_path_factory.mktemp("clone")
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
        )
        for name in listed.stdout.decode().splitlines():
            if (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        with (path / "params.yaml").open("a") as file:
            file.write("debug: tiny\n")
        clone = Clone(path)
        clone.run("git init -q -b main && git add -A && git commit -qm start")
        return clone

    return make
