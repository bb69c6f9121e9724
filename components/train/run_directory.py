"""Where a run keeps what it needs to go on: a folder named by everything that the run depends on.

It lies outside the outputs that DVC removes before it runs a stage. Other parameters, other data or other code give
another name, so that nothing ever resumes from a state that is not its own.
"""

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components import bigbigan, train
from components.artifacts.code_hash import code_hash


def run_name(identity: dict[str, Any]) -> str:
    """A short hash of `identity` (plain JSON content: parameters, dataset version) and of the training code."""
    code = code_hash(*(Path(package.__path__[0]) for package in (bigbigan, train)))
    return hashlib.sha256((json.dumps(identity, sort_keys=True) + code).encode()).hexdigest()[:12]


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the run's folder for this process alone; waits, and says so, while another trainer holds it.

    The operating system gives the lock back when its holder dies, however it dies.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            print(
                f"another trainer (process {file.read().strip() or 'unknown'}) works on {directory}: waiting until it "
                "ends, then going on from where it got",
                file=sys.stderr,
                flush=True,
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
