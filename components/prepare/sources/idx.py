"""MNIST's files as a source: pairs of `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, perhaps with `.gz`.

A folder with such files gives the splits train and test (`t10k-` or `test-`); one of them alone is split by us. The
format: two zero bytes, the type (8: uint8), the number of axes, their lengths as big-endian uint32, the values.
Names like `emnist-letters-train-images-idx3-ubyte` and `train-images.idx3-ubyte` are known too.
"""

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from components.artifacts.errors import UserError
from components.prepare.sources.arrays import array_source, numbered_labels
from components.prepare.sources.source import Labelling, Source, damaged

_IMAGES = re.compile(r"(?P<set>.*-)?(?P<split>train|t10k|test)-images(?P<mark>[-.]idx)[34]-ubyte(?P<packed>\.gz)?")
_SPLITS = {"train": "train", "t10k": "test", "test": "test"}
_UINT8 = 8
# Deflate packs no byte into less than a thousandth.
_MOST_RATIO = 1100


def find_idx(folder: Path) -> list[Path]:
    """The files of images in a folder."""
    return sorted(path for path in folder.iterdir() if _IMAGES.fullmatch(path.name))


def is_idx(path: Path) -> bool:
    return _IMAGES.fullmatch(path.name) is not None


def read_idx(path: Path, files: list[Path]) -> Source:
    """Reads files of images, and of labels if these lie beside them. All are held in memory.

    Args:
        path: what was given as the source.
        files: of images, in one folder.

    Raises:
        UserError: a file is damaged or of another kind, a split is there twice, or has no labels while another has.
    """
    splits = [_SPLITS[_match(file)["split"]] for file in files]
    if len(set(splits)) < len(splits):
        shown = ", ".join(file.name for file in files)
        raise UserError(f"{path} holds {shown}, which name a split twice: leave one of each in the folder")
    labels_files = [_labels_file(file) for file in files]
    if None in labels_files and any(labels_files):
        raise UserError(f"{path} has labels for some of its files only: give a file of labels for all, or for none")
    images = [_read(file, axes=(3, 4)) for file in files]
    labels = [_read(file, axes=(1,)) for file in labels_files if file is not None]
    for file, pictures, numbers in zip(labels_files, images, labels, strict=False):
        if len(pictures) != len(numbers):
            raise UserError(
                f"{file} holds {len(numbers)} labels for {len(pictures)} images: give the file that belongs"
            )
    if not sum(map(len, images)):
        raise UserError(f"{path} holds no image: give files with images in them")
    # "test" sorts before "train": names stay sorted.
    parts = sorted(zip(splits, images, strict=True), key=lambda part: part[0])
    names = [b"%s/%010d" % (split.encode(), index) for split, held in parts for index in range(len(held))]
    of_each = [split for split, held in parts for _ in held]
    labelling = Labelling(None, None, "none: there is no file of labels")
    if labels:
        ordered = np.concatenate([part for _, part in sorted(zip(splits, labels, strict=True), key=lambda p: p[0])])
        shown = ", ".join(file.name for file in labels_files if file is not None)
        labelling = Labelling(*numbered_labels(ordered), f"the files {shown}")
    if len(files) > 1:
        labelling = Labelling(
            labelling.classes, labelling.labels, labelling.labels_from, of_each, "the source's train and test files"
        )
    read = [*files, *(file for file in labels_files if file is not None)]
    return array_source("idx", path, read, names, [image for _, held in parts for image in held], labelling)


def _match(file: Path) -> re.Match[str]:
    match = _IMAGES.fullmatch(file.name)
    assert match is not None
    return match


def _labels_file(images: Path) -> Path | None:
    match = _match(images)
    stem = f"{match['set'] or ''}{match['split']}-labels{match['mark']}1-ubyte"
    candidates = (images.with_name(stem), images.with_name(stem + ".gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read(path: Path, axes: tuple[int, ...]) -> np.ndarray:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            start = file.read(4)
            if start[:3] != bytes((0, 0, _UINT8)) or len(start) < 4 or start[3] not in axes:
                wanted = " or ".join(map(str, axes))
                raise UserError(f"{path} is no idx file of uint8 with {wanted} axes: fetch it anew")
            shape = struct.unpack(f">{start[3]}I", file.read(4 * start[3]))
            size = math.prod(shape)
            if size > _MOST_RATIO * path.stat().st_size:
                raise UserError(
                    f"{path} says that it holds {size:,} values, more than there is room for: fetch it anew"
                )
            content = file.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise damaged(path, "idx", error) from None
    if len(content) != size:
        given = f"only {len(content):,}" if len(content) < size else "more"
        raise UserError(f"{path} says that it holds {size:,} values, but holds {given}: fetch it anew")
    if 0 in shape[1:] or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
        raise UserError(
            f"{path} holds arrays of shape {shape}, which are no images: N×H×W, or N×H×W×C with C 1, 3 or 4"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)
