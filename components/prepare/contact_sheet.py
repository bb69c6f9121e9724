"""Some training images on one picture, so that a person sees what was read, and as which class."""

import numpy as np

from components.artifacts.dataset import Split

COLUMNS = 10
MOST = 100


def contact_sheet(train: Split) -> np.ndarray:
    """Up to 100 images, evenly drawn, 10 in a row; with up to 10 classes, each begins on a row of its own.

    Returns:
        uint8, N×H×W×C; white where a class has too few images to fill its rows.
    """
    if train.labels is None:
        return train.images(_evenly(np.arange(len(train)), MOST))
    classes = _evenly(np.unique(train.labels), MOST)
    each = COLUMNS * (COLUMNS // len(classes)) if len(classes) <= COLUMNS else MOST // len(classes)
    rows = []
    for label in classes:
        images = train.images(_evenly(np.flatnonzero(train.labels == label), each))
        missing = -len(images) % COLUMNS if len(classes) <= COLUMNS else 0
        rows.append(np.pad(images, ((0, missing), (0, 0), (0, 0), (0, 0)), constant_values=255))
    return np.concatenate(rows)


def _evenly(values: np.ndarray, most: int) -> np.ndarray:
    count = min(most, len(values))
    return values[np.arange(count) * len(values) // count]
