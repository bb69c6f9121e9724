"""Files and folders that appear under their final name only when they are whole.

Everything is written aside, in a sibling whose name starts with `.partial-`, and renamed at the end. A crash
leaves the sibling, which nothing reads and the next writer of the same name removes.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.artifacts.errors import UserError

_PARTIAL = ".partial-"


def check_replaceable(path: Path, known_by: str) -> None:
    """Makes sure that nobody's data is lost when a new folder takes the place of `path`.

    Args:
        known_by: a file that every artifact of this kind holds, by which an older one is known.

    Raises: UserError, if a file stands at `path`, the present folder lies in it, or it is a folder of something else.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file, but a folder is to stand there: choose another output")
    if Path.cwd().is_relative_to(path.resolve()):
        raise UserError(f"{path} holds the present folder and would be replaced as a whole: choose another output")
    if path.is_dir() and any(path.iterdir()) and not (path / known_by).is_file():
        raise UserError(f"{path} is a folder of something else (it has no {known_by}): choose another output")


@contextmanager
def new_directory(path: Path, known_by: str) -> Iterator[Path]:
    """Yields an empty sibling folder that takes the place of `path` when the block ends well.

    What stood at `path` before stays until then. If the block raises, `path` is as it was. A link is followed.

    Raises: UserError, if what stands at `path` is not to be replaced (`check_replaceable`).
    """
    path = path.resolve()
    check_replaceable(path, known_by)
    partial = path.parent / f"{_PARTIAL}{path.name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        replace_directory(path, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_directory(path: Path, new: Path) -> None:
    """Puts the folder `new`, which lies on the same file system, in the place of `path`, whatever stood there.

    A kill between the two renames leaves no folder at `path`: absent, never half.
    """
    replaced = path.parent / f"{_PARTIAL}{path.name}.replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    if path.exists():
        path.rename(replaced)
    new.rename(path)
    shutil.rmtree(replaced, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file that is either the old one or the whole new one, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f"{_PARTIAL}{path.name}"
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Writes sorted, indented JSON (the same content gives the same bytes). NaN is refused: `ValueError`."""
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path) -> Any:
    """Raises: UserError, if the file is absent or not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} does not exist: run the step that makes it first") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not readable as JSON ({error}): make it anew") from None


def sha256(path: Path) -> str:
    """The hash of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
