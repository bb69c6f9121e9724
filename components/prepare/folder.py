"""A folder tree of image files as a source.

| layout | labels | splits |
|---|---|---|
| every image in a sub-folder | name of the first-level sub-folder | drawn |
| images at the top level, or there and in sub-folders | none | drawn |
| nothing but `train/`, `test/` and perhaps `val/` or `validation/` | by the two rules above, beneath each | kept |

An image file is one whose name ends as one (`EXTENSIONS`), or whose first bytes are those of a format that is
read: only these can be rejected. Any other file is listed as "not an image" and counts for nothing. Hidden files
and folders, and what Windows and archives leave behind, are passed over. Linked files are read, linked folders are
not entered (they may lead in circles).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from components.artifacts.errors import UserError
from components.prepare.source import Source, printable

_READ = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
# A photo that is left out must be seen to be left out.
_NOT_READ = (".heic", ".heif", ".avif", ".jp2", ".jxl", ".psd", ".svg", ".tga", ".ppm", ".pgm", ".exr", ".dng", ".nef")
EXTENSIONS = frozenset(_READ + _NOT_READ)
SPLIT_FOLDERS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}

_LEFT_BEHIND = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"})
_BITMAP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)


def read_folder(path: Path) -> Source:
    """Lists a folder's images, sorted by name, with what their folders say about labels and splits.

    Raises:
        UserError: there is no image, a folder cannot be read, or split folders are incomplete or double.
    """
    files, others = [], []
    for relative, reason in _walk(path):
        if reason is None:
            reason = None if _is_image_file(path, relative) else "not an image"
        if reason is None:
            files.append(relative)
        else:
            others.append((printable(relative), reason))
    if not files:
        raise UserError(_nothing_found(path, others))
    files.sort(key=os.fsencode)
    parts = [relative.split("/") for relative in files]
    splits = _explicit_splits(path, parts)
    classes, labels, labels_from = _labels([part[1:] for part in parts] if splits else parts, bool(splits))
    return Source(
        kind="folder",
        name=printable(path.resolve().name),
        names=[os.fsencode(relative) for relative in files],
        payloads=[str(path / relative) for relative in files],
        labels=labels,
        classes=classes,
        labels_from=labels_from,
        splits=splits,
        others=sorted(others),
    )


# --------------------------------------------------------------------------------------------------- walk


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
            if entry.name.startswith(".") or entry.name.casefold() in _LEFT_BEHIND:
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
    path = root / relative
    if path.suffix.lower() in EXTENSIONS:
        return True
    try:
        with path.open("rb") as file:
            return _looks_like_image(file.read(32))
    except OSError:
        return False  # Neither its name nor its content says that it is one.


def _looks_like_image(start: bytes) -> bool:
    return (
        start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"))
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        # "BM" alone would take any text that starts so.
        or (start[:2] == b"BM" and int.from_bytes(start[14:18], "little") in _BITMAP_HEADER_SIZES)
    )


def _nothing_found(path: Path, others: list[tuple[str, str]]) -> str:
    if not others:
        return f"{path} is empty: give a folder with images in it"
    linked = sum("link to a folder" in reason for _, reason in others)
    hint = f" ({linked} linked folders were not followed: copy them, or link the files)" if linked else ""
    return f"{path} holds no image, only {len(others)} other entries, such as {others[0][0]}{hint}"


# ------------------------------------------------------------------------------------------------- layout


def _explicit_splits(path: Path, parts: list[list[str]]) -> list[str] | None:
    """The split of each image by its top-level folder, if there are no other top-level folders and no images."""
    tops = sorted({part[0] for part in parts})
    if any(len(part) == 1 for part in parts) or any(top.lower() not in SPLIT_FOLDERS for top in tops):
        return None
    found = [SPLIT_FOLDERS[top.lower()] for top in tops]
    if len(set(found)) < len(found):
        raise UserError(f"{path} has the folders {', '.join(tops)}, which name a split twice: put them together")
    if not {"train", "test"} <= set(found):
        raise UserError(
            f"{path} has no other folders with images than {', '.join(tops)}: these name splits, which need train and "
            f"test at least; rename them, or give {path / tops[0]} as the source to have its images split"
        )
    return [SPLIT_FOLDERS[part[0].lower()] for part in parts]


def _labels(parts: list[list[str]], explicit: bool) -> tuple[list[str] | None, np.ndarray | None, str]:
    """Class names, labels and their origin, from each image's path beneath the source or its split folder."""
    beneath = " beneath the split folders" if explicit else ""
    at_top = sum(len(part) == 1 for part in parts)
    if at_top == len(parts):
        return None, None, f"none: the images lie in no sub-folder{beneath}"
    if at_top:
        return None, None, f"none: {at_top} of {len(parts)} images lie in no sub-folder{beneath}, the others do"
    names = sorted({part[0] for part in parts}, key=os.fsencode)
    number = {name: index for index, name in enumerate(names)}
    labels = np.array([number[part[0]] for part in parts], np.int64)
    return [printable(name) for name in names], labels, f"names of the first-level sub-folders{beneath}"
