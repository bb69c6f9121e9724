"""A tar or zip archive as a source, read member by member as a stream: nothing is ever extracted to disk.

`tree.py` has what the members' names say; a folder that holds everything in the archive is taken off them first,
unless it names a split. Links, devices and names that lead out of the archive are listed and not read; of members
with the same name the last one counts, as when extracting. It is read twice: once for the names, once for the images.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from components.prepare.sources.member import Member
from components.prepare.sources.names import START_BYTES, looks_like_image, named_as_image, passed_over
from components.prepare.sources.source import (
    PART_IMAGES,
    Content,
    Loaded,
    Parts,
    Source,
    Unreadable,
    Wanted,
    printable,
    stat_fingerprint,
)
from components.prepare.sources.tar import tar_members
from components.prepare.sources.tree import LABEL_FILES, READ_FOR_LABELS, SPLIT_FOLDERS, read_tree
from components.prepare.sources.zip import zip_members

SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tbz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip")
_PART_BYTES = 32 * 2**20


def read_archive(path: Path) -> Source:
    """Lists an archive's images.

    Raises:
        UserError: it is damaged, cut off, or unpacks to absurdly more than its size; or as `read_tree`.
    """
    with path.open("rb") as file:
        members = partial(zip_members if file.read(2) == b"PK" else tar_members, path)
    found, others, label_files = _list(members)
    wrapper = _wrapper([*found, *label_files])
    found = {name.removeprefix(wrapper): number for name, number in found.items()}
    others += [(printable(name), READ_FOR_LABELS) for name in label_files]
    label_files = {name.removeprefix(wrapper): content for name, content in label_files.items()}
    tree = read_tree(str(path), list(found), others, label_files)
    index_of = np.full(max(found.values()) + 1, -1, np.int64)
    for index, name in enumerate(tree.names):
        index_of[found[name]] = index
    return Source(
        kind="archive",
        name=printable(path.name),
        names=tree.names,
        labelling=tree.labelling,
        others=tree.others,
        fingerprint=stat_fingerprint(path.parent, [path.name.encode("utf-8", "surrogateescape")]),
        parts=partial(_parts, members, index_of),
    )


Members = Callable[[], Iterator[Member]]


def _list(members: Members) -> tuple[dict[bytes, int], list[tuple[str, str]], dict[bytes, bytes]]:
    """The number in the archive of each image by its name; (path, reason) of the others; contents of label files."""
    found: dict[bytes, int] = {}
    others: list[tuple[str, str]] = []
    label_files: dict[bytes, bytes] = {}
    for number, member in enumerate(members()):
        name = re.sub(rb"^(\./+)+", b"", re.sub(rb"/{2,}(?!$)", b"/", member.name))
        reason = member.why_not_read or _why_unsafe(name)
        if not reason and any(passed_over(part.decode("utf-8", "surrogateescape")) for part in name.split(b"/")):
            continue
        if not reason and name.rpartition(b"/")[2] in LABEL_FILES and name.count(b"/") <= 1:
            content = member.content()
            if isinstance(content, bytes):
                label_files[name] = content
                continue
        if not reason and not (named_as_image(name) or looks_like_image(member.start(START_BYTES))):
            reason = "not an image"
        if reason:
            others.append((printable(member.name), reason))
            continue
        if name in found:
            others.append((printable(name), "replaced by a later member of the same name"))
        found[name] = number
    return found, others, label_files


def _why_unsafe(name: bytes) -> str:
    if name.startswith(b"/") or re.match(rb"[A-Za-z]:[/\\]", name):
        return "an absolute path: not read"
    return "a path that leads out of the archive: not read" if b".." in name.split(b"/") else ""


def _wrapper(names: list[bytes]) -> bytes:
    """The folder, with its "/", that everything lies in; empty if there is none, or if it names a split."""
    tops = {name.partition(b"/")[0] if b"/" in name else b"" for name in names}
    top = tops.pop() if len(tops) == 1 else b""
    inside = any(name.count(b"/") > 1 for name in names)
    return top + b"/" if top and inside and top.lower() not in SPLIT_FOLDERS else b""


def _parts(members: Members, index_of: np.ndarray, wanted: Wanted) -> Parts:
    """In the order of the archive."""
    indices: list[int] = []
    loaded: list[Content] = []
    size = 0
    for number, member in enumerate(members()):
        index = int(index_of[number]) if number < len(index_of) else -1
        if index < 0 or not wanted[index]:
            continue
        content = member.content()
        indices.append(index)
        loaded.append(content)
        size += 0 if isinstance(content, Unreadable) else len(content)
        if len(indices) == PART_IMAGES or size >= _PART_BYTES:
            yield indices, Loaded(loaded)
            indices, loaded, size = [], [], 0
    if indices:
        yield indices, Loaded(loaded)
