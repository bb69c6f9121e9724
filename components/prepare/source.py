"""What a source of images is, whatever kind it comes from."""

import hashlib
import os
import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Source:
    """The images that could be read, in the order of their names; nothing is decoded yet.

    Attributes:
        kind: "folder" or "npz".
        name: the folder's or file's own name, without where it lies.
        names: of the images, as bytes, unique, sorted; relative to the folder.
        payloads: for each image the path of its file, or its pixels (uint8, H×W or H×W×C).
        labels: int64, N, indices into `classes`; None where the source has no labels.
        classes: sorted class names; None where the source has no labels.
        labels_from: what was read as label, or why there are none, in words.
        splits: the split of each image where the source says so, else None.
        others: (path, reason) of what lies in the source and is no image; it counts as no rejection.
    """

    kind: str
    name: str
    names: list[bytes]
    payloads: list[str] | list[np.ndarray]
    labels: np.ndarray | None
    classes: list[str] | None
    labels_from: str
    splits: list[str] | None
    others: list[tuple[str, str]]

    def content_hash(self, digests: list[bytes]) -> str:
        """sha256 over names, contents (`digests`, one per image) and labels, as hexadecimal digits."""
        total = hashlib.sha256()
        for index, name in enumerate(self.names):
            label = -1 if self.labels is None else int(self.labels[index])
            total.update(b"%d:%s:%d:%s:%d\n" % (len(name), name, len(digests[index]), digests[index], label))
        return total.hexdigest()


def printable(name: str | bytes) -> str:
    """A file name as text for any file or terminal: bytes that are no UTF-8, and control characters, as \\xNN."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: f"\\x{ord(match[0]):02x}", text)
