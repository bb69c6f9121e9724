"""What sources of arrays have in common: their pixels are held in memory."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from components.prepare.sources.source import (
    Labelling,
    Loaded,
    Parts,
    Source,
    Wanted,
    in_parts,
    printable,
    stat_fingerprint,
)


def array_source(
    kind: str, path: Path, files: list[Path], names: list[bytes], images: Sequence[np.ndarray], labelling: Labelling
) -> Source:
    """Args:
    files: all that were read, in one folder.
    images: uint8, H×W or H×W×C each.
    """
    return Source(
        kind=kind,
        name=printable(path.resolve().name),
        names=names,
        labelling=labelling,
        others=[],
        fingerprint=stat_fingerprint(files[0].parent, [os.fsencode(file.name) for file in files]),
        parts=partial(_parts, images),
        in_memory=True,
    )


def numbered_labels(labels: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Classes are the labels that occur, in the order of their numbers; N integers -> class names, int64 N."""
    values, numbers = np.unique(labels, return_inverse=True)
    return [str(value) for value in values], numbers.astype(np.int64)


def _parts(images: Sequence[np.ndarray], wanted: Wanted) -> Parts:
    return in_parts(wanted, lambda chosen: Loaded([images[index] for index in chosen]))
