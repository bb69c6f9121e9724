"""Numbers that describe a dataset, from what was recorded of each image while it was decoded."""

from typing import Any

import numpy as np

from components.artifacts.dataset import SPLITS
from components.artifacts.parameters import Image
from components.prepare.write import Written

_BINS = 20


def pixels(written: Written, image: Image) -> dict[str, list[float]]:
    """Mean and standard deviation of the train split's levels, 0 to 255, per channel; rounded at the end only."""
    train = written.records[written.of("train")]
    count = len(train) * image.size**2
    mean = train["sums"].sum(0) / count
    variance = train["squares"].sum(0) / count - mean**2
    return {
        "mean": mean.round(3).tolist(),
        "standard_deviation": np.sqrt(variance.clip(0)).round(3).tolist(),
    }


def source_sizes(written: Written) -> dict[str, Any]:
    """Short sides of the images as they were, in pixels: a histogram in equal steps of their logarithm, and extremes.

    `short_side` has one edge more than it has counts; a bin reaches from its edge up to, and without, the next.
    """
    sides = written.records["short_side"][written.accepted]
    least, most = int(sides.min()), int(sides.max())
    edges = np.unique(np.geomspace(least, most + 1, _BINS + 1).round().astype(int))
    counts = np.histogram(sides, edges)[0]
    return {
        "minimum": least,
        "median": float(np.median(sides)),
        "maximum": most,
        "short_side": {"edges": edges.tolist(), "images": counts.tolist()},
    }


def images_per_class(labels: dict[str, np.ndarray], classes: list[str] | None) -> dict[str, list[int] | None]:
    """Of each split, in the order of `classes`; None without labels."""
    if classes is None:
        return dict.fromkeys(SPLITS)
    return {name: np.bincount(labels[name], minlength=len(classes)).tolist() for name in SPLITS}
