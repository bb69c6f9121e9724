"""A `.npz` file as a source: `images`, and perhaps `labels`."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from components.artifacts.errors import UserError
from components.prepare.sources.arrays import array_source, numbered_labels
from components.prepare.sources.member import check_ratio
from components.prepare.sources.source import Labelling, Source, damaged


def read_npz(path: Path) -> Source:
    """Reads `images` (uint8, N×H×W or N×H×W×C; C is 1, 3 or 4, the fourth being alpha) and `labels` (integers, N).

    Both are held in memory. An image's name is its number. Classes are the labels that occur, in the order of
    their numbers. Pickled content is refused, since it could run code.

    Raises:
        UserError: the file is not such a file.
    """
    images = _read(path, "images")
    if images is None:
        raise UserError(f"{path} has no array `images`: save it with numpy.savez(path, images=…, labels=…)")
    if images.dtype != np.uint8:
        raise UserError(f"{path}: images is of type {images.dtype}, but it must be uint8, 0 to 255")
    if images.ndim not in (3, 4) or 0 in images.shape[1:] or (images.ndim == 4 and images.shape[3] not in (1, 3, 4)):
        raise UserError(f"{path}: images is of shape {images.shape}, but it must be N×H×W or N×H×W×C with C 1, 3 or 4")
    if len(images) == 0:
        raise UserError(f"{path}: images is empty")
    labels = _read(path, "labels")
    if labels is None:
        labelling = Labelling(None, None, "none: there is no array `labels`")
    else:
        _check_labels(path, labels, len(images))
        labelling = Labelling(*numbered_labels(labels), "the array `labels`")
    names = [b"%010d" % index for index in range(len(images))]
    return array_source("npz", path, [path], names, list(images), labelling)


def _read(path: Path, name: str) -> np.ndarray | None:
    try:
        _check_packing(path)
        content = np.load(path, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise UserError(f"{path} holds a single array, not named ones: save it with numpy.savez")
        with content:
            return content[name] if name in content.files else None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise damaged(path, ".npz", error) from None


def _check_packing(path: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            check_ratio(path, sum(entry.file_size for entry in archive.infolist()))


def _check_labels(path: Path, labels: np.ndarray, images: int) -> None:
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{path}: labels is of type {labels.dtype}, but it must hold integers")
    if labels.shape != (images,):
        raise UserError(
            f"{path}: labels is of shape {labels.shape}, but there are {images} images: one number for each"
        )
    if labels.min() < 0:
        raise UserError(f"{path}: labels holds {labels.min()}, but a class is 0 or more: label all images, or none")
