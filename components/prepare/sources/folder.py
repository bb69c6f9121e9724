"""A folder tree of image files as a source; `tree.py` has what its names say.

Linked files are read, linked folders are not entered (they may lead in circles).
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.artifacts.errors import UserError
from components.prepare.sources.names import START_BYTES, looks_like_image, named_as_image, passed_over
from components.prepare.sources.source import (
    MOST_BYTES,
    TOO_LARGE,
    Content,
    Parts,
    Source,
    Unreadable,
    Wanted,
    in_parts,
    printable,
    stat_fingerprint,
)
from components.prepare.sources.tree import LABEL_FILES, READ_FOR_LABELS, read_tree

_LACKING_FILE = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ELOOP)


@dataclass(frozen=True)
class Files:
    """A part: files by their paths."""

    paths: list[str]

    def contents(self) -> Iterator[Content]:
        yield from map(read_file, self.paths)


def read_file(path: str) -> bytes | Unreadable:
    """Raises: UserError, if the disk fails. A missing or forbidden file is `Unreadable`."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Unreadable("not a regular file")
            return file.read() if status.st_size <= MOST_BYTES else Unreadable(TOO_LARGE)
    except OSError as error:
        if error.errno not in _LACKING_FILE:
            # Rejecting it would make the dataset depend on the state of a disk or a network.
            raise UserError(f"{path} could not be read ({error.strerror}): run again when its disk answers") from None
        return Unreadable(f"cannot be read: {error.strerror}")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # A pipe would wait for its writer.


def read_folder(path: Path) -> Source:
    """Lists a folder's images.

    Raises:
        UserError: a folder in it cannot be read, or as `read_tree`.
    """
    names, others, label_files = [], [], {}
    for relative, reason in _walk(path):
        name = os.fsencode(relative)
        if name in LABEL_FILES and reason is None:
            label_files[name] = (path / relative).read_bytes()
            reason = READ_FOR_LABELS
        elif reason is None and not _is_image_file(path, relative):
            reason = "not an image"
        if reason is None:
            names.append(name)
        else:
            others.append((printable(relative), reason))
    tree = read_tree(str(path), names, others, label_files)
    return Source(
        kind="folder",
        name=printable(path.resolve().name),
        names=tree.names,
        labelling=tree.labelling,
        others=tree.others,
        fingerprint=stat_fingerprint(path, tree.names),
        parts=partial(_parts, path, tree.names),
    )


def _parts(root: Path, names: list[bytes], wanted: Wanted) -> Parts:
    return in_parts(wanted, lambda chosen: Files([f"{root}/{os.fsdecode(names[index])}" for index in chosen]))


def _walk(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yields (path relative to `root`, None), or the reason why what lies there is no file to look at."""
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(root / folder))
        except PermissionError as error:
            raise UserError(
                f"the folder {printable(error.filename)} cannot be read: change its permissions or leave it out"
            ) from None
        for entry in entries:
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if passed_over(entry.name):
                continue
            if entry.is_symlink():
                yield relative, _why_not_followed(Path(entry.path))
            elif entry.is_dir():
                folders.append(relative)
            else:
                yield relative, None if entry.is_file() else "not a regular file"


def _why_not_followed(link: Path) -> str | None:
    try:
        mode = link.stat().st_mode
    except OSError:
        return None  # A broken link counts as the image that its name says it is.
    if stat.S_ISDIR(mode):
        return "a link to a folder: not followed"
    return None if stat.S_ISREG(mode) else "not a regular file"


def _is_image_file(root: Path, relative: str) -> bool:
    if named_as_image(relative):
        return True
    try:
        with (root / relative).open("rb") as file:
            return looks_like_image(file.read(START_BYTES))
    except OSError:
        return False  # Neither its name nor its content says that it is one.
