"""What a source of images is, whatever kind it comes from."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from components.artifacts.errors import UserError

PART_IMAGES = 64
# A file is read whole, by several processes at a time. 16-bit RGB of Pillow's most pixels is twice as large.
MOST_BYTES = 256 * 2**20
TOO_LARGE = f"too large: a file of more than {MOST_BYTES // 2**20} MiB"


@dataclass(frozen=True)
class Unreadable:
    """Stands where an image's content should be. `reason`: "kind", or "kind: detail"."""

    reason: str


Content = bytes | np.ndarray | Unreadable


class Part(Protocol):
    """Some images on their way to a decoding process: cheap to send, and read there."""

    def contents(self) -> Iterator[Content]:
        """Yields for each image its file's bytes, or its pixels (uint8, H×W or H×W×C with C 1, 3 or 4)."""


@dataclass(frozen=True)
class Loaded:
    """A part that was read already."""

    loaded: list[Content]

    def contents(self) -> Iterator[Content]:
        yield from self.loaded


Wanted = np.ndarray  # bool, N: the images whose content is asked for
Parts = Iterator[tuple[list[int], Part]]


@dataclass(frozen=True)
class Labelling:
    """What was read as labels and as splits.

    Attributes:
        classes: class names in the order of the numbers; None where the source has no labels.
        labels: int64, N, indices into `classes`; None where the source has no labels.
        labels_from: what was read as label, or why there are none, in words.
        splits: the split of each image where the source says so, else None.
        splits_from: what was read as split, in words; empty where the source does not say.
    """

    classes: list[str] | None
    labels: np.ndarray | None
    labels_from: str
    splits: list[str] | None = None
    splits_from: str = ""


@dataclass(frozen=True)
class Source:
    """The images that were found; nothing is decoded yet.

    Attributes:
        kind: "folder", "archive", "idx", "npz", "s3" or "list".
        name: the source's own name, without where it lies.
        names: of the images, as bytes, unique, sorted; relative to the source.
        labelling: their labels and splits.
        others: (path, reason) of what lies in the source and is no image; it counts as no rejection.
        fingerprint: changes when any image of the source does, as far as that is seen without reading them all.
        parts: given the images that are wanted, yields indices into `names` and the part that holds these images;
            in whatever order is the fastest to read.
        in_memory: the pixels are held already, and would take longer to travel to another process than to be fitted.
    """

    kind: str
    name: str
    names: list[bytes]
    labelling: Labelling
    others: list[tuple[str, str]]
    fingerprint: str
    parts: Callable[[Wanted], Parts]
    in_memory: bool = False

    def content_hash(self, digests: Iterable[bytes]) -> str:
        """sha256 over names, contents (`digests`, one per image, empty if unread) and labels, as hexadecimal digits."""
        total, labels = hashlib.sha256(), self.labelling.labels
        for index, (name, digest) in enumerate(zip(self.names, digests, strict=True)):
            label = -1 if labels is None else int(labels[index])
            total.update(b"%d:%s:%d:%s:%d\n" % (len(name), name, len(digest), digest, label))
        return total.hexdigest()


def in_parts(wanted: Wanted, part: Callable[[list[int]], Part]) -> Parts:
    """Parts in the order of the names, for a source that can be read in any order."""
    indices = np.flatnonzero(wanted)
    for start in range(0, len(indices), PART_IMAGES):
        chosen = indices[start : start + PART_IMAGES].tolist()
        yield chosen, part(chosen)


def stat_fingerprint(root: Path, names: Iterable[bytes]) -> str:
    """A hash over names, sizes and times of change of files beneath `root`, in the order given."""
    total, folder = hashlib.sha256(), os.fsencode(root)
    for name in names:
        try:
            status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - a Path holds no bytes
            seen = b"%d:%d" % (status.st_size, status.st_mtime_ns)
        except OSError:
            seen = b"absent"
        total.update(name + b"\0" + seen + b"\n")
    return total.hexdigest()


def printable(name: str | bytes) -> str:
    """A file name as text for any file or terminal: bytes that are no UTF-8, and control characters, as \\xNN."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: f"\\x{ord(match[0]):02x}", text)


def numbered(values: Iterable[bytes]) -> tuple[list[bytes], np.ndarray]:
    """The different values, sorted, and the number of each value among them."""
    found: dict[bytes, int] = {}
    codes = np.fromiter((found.setdefault(value, len(found)) for value in values), np.int64)
    names = sorted(found)
    rank = np.empty(len(names), np.int64)
    rank[[found[name] for name in names]] = np.arange(len(names))
    return names, rank[codes]


def damaged(path: Path | str, kind: str, error: object) -> UserError:
    return UserError(f"{path} is not readable as {kind} ({' '.join(str(error).split())}): fetch or make it anew")


def corrupt(error: Exception) -> str:
    """Why an image was rejected whose reader raised `error`: one line, also where the error says nothing."""
    return f"corrupt: {' '.join(str(error).split()) or type(error).__name__}"
