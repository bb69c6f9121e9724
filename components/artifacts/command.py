"""How every step behaves as a command: exit codes, and errors as one line.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a `UserError`, or the disk or a permission said no: one line on stderr says what to do |
| 2 | wrong flags (argparse) |
| 130 | stopped by Ctrl-C |
| 143 | stopped by SIGTERM |
"""

import errno
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from components.artifacts.errors import UserError

_OS_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, then run the same command again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the same command again",
    errno.EACCES: "permission denied: choose a place that you may write to, or change its permissions",
    errno.EPERM: "permission denied: choose a place that you may write to, or change its permissions",
    errno.EEXIST: "a file stands where a folder is needed: choose another place",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another place",
    errno.EISDIR: "this is a folder, but a file is needed: give the path of a file",
    errno.EROFS: "this file system is read-only: choose another place for the output",
}


class Terminated(BaseException):
    """SIGTERM arrived. Raised in the main thread, so that open artifacts are cleaned up on the way out."""


def _raise_terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def run(main: Callable[[], None]) -> NoReturn:
    """Runs a step's `main` and ends the process with the exit code of the table above."""
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        main()
    except UserError as error:
        sys.exit(_report(str(error)))
    except OSError as error:
        if error.errno not in _OS_ADVICE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        sys.exit(_report(place + _OS_ADVICE[error.errno]))
    except KeyboardInterrupt:
        sys.exit(130)
    except Terminated:
        sys.exit(143)
    sys.exit(0)


def _report(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1
