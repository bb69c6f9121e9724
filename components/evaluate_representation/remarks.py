"""What a person should know about the numbers: what was left out, what is odd, what is in doubt. A line each."""

from collections.abc import Sequence

import numpy as np

from components.artifacts.dataset import Dataset
from components.evaluate_representation.probe import Selection
from components.evaluate_representation.views import View

_CLASSES_NAMED = 5


def odd_classes(dataset: Dataset, names: Sequence[str]) -> list[str]:
    """Classes that a split lacks, or of which train has a single image."""
    train, test = (
        np.bincount(np.asarray(split.labels), minlength=len(names)) for split in (dataset.train, dataset.test)
    )
    lines = []
    if (train == 0).any():
        lines.append(
            f"train has no image of {_listed(names, train == 0)}: never predicted, so that {test[train == 0].sum()} of "
            f"{test.sum()} test images are counted as wrong"
        )
    if (train == 1).any():
        lines.append(f"train has a single image of {_listed(names, train == 1)}")
    if (test == 0).any():
        lines.append(f"test has no image of {_listed(names, test == 0)}: of that nothing is measured")
    return lines


def too_many_neighbours(neighbours: Sequence[int], images: int) -> list[str]:
    return [
        f"skipped kNN with k = {k} (evaluate_representation.neighbours): train has {images} images"
        for k in neighbours
        if k > images
    ]


def fewer_images_than_features(name: str, view: View) -> list[str]:
    images, features = len(view.train), view.train.width
    if images > features:
        return []
    return [
        f"{name}: {images} train images for {features} features: some weights fit any labels, and only the penalty "
        "chooses among them"
    ]


def doubts(name: str, selection: Selection) -> list[str]:
    """Probes that are not the minimum, and a penalty that is the last of the list."""
    lines = [
        f"warning: the probe on {name} with penalty {penalty:g} was stopped before it had converged"
        for penalty in selection.unconverged
    ]
    if selection.at_edge:
        lines.append(
            f"warning: the penalty selected for {name}, {selection.penalty:g}, is at the edge of "
            "evaluate_representation.l2_penalties: a wider list may give a better probe"
        )
    return lines


def _listed(names: Sequence[str], which: np.ndarray) -> str:
    chosen = [name for name, shown in zip(names, which, strict=True) if shown]
    rest = len(chosen) - _CLASSES_NAMED
    return ", ".join(chosen) if rest <= 0 else f"{', '.join(chosen[:_CLASSES_NAMED])} and {rest} more classes"
