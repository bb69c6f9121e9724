"""Few labels: some train images of each class, drawn several times (section 4.1, low-label).

The images without labels still give the moments by which features are normalised, and validation keeps its labels.
"""

from collections.abc import Sequence

import numpy as np

from components.artifacts.parameters import EvaluateRepresentation

# By how the images were drawn, as keys of metrics name it, such as `10_per_class` or `1_percent`: for each draw, the
# numbers of the train images that keep their labels.
Draws = dict[str, list[np.ndarray]]


def draw(labels: np.ndarray, per_class: int, seed: int, number: int) -> np.ndarray:
    """Indices of `per_class` images of every class in `labels`, without repeats: a function of the arguments alone."""
    generator = np.random.default_rng([seed, per_class, number])
    members = (np.flatnonzero(labels == label) for label in np.unique(labels))
    return np.concatenate([generator.choice(those, per_class, replace=False) for those in members])


def draw_percent(labels: np.ndarray, percent: int, seed: int, number: int) -> np.ndarray:
    """Indices of so many percent of each class in `labels`, rounded to whole images: as in `draw`."""
    generator = np.random.default_rng([seed, percent, number, 1])
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate([generator.choice(those, _share(len(those), percent), replace=False) for those in members])


def all_draws(labels: np.ndarray, names: Sequence[str], parameters: EvaluateRepresentation) -> tuple[Draws, list[str]]:
    """All draws that train's labels allow, and a line for each that they do not."""
    draws: Draws = {}
    remarks = []
    numbers = range(parameters.low_label_draws)
    present, counts = np.unique(labels, return_counts=True)
    smallest = f"the smallest class, {names[present[counts.argmin()]]}, has {counts.min()} train images"
    for per_class in parameters.labels_per_class:
        if per_class <= counts.min():
            draws[f"{per_class}_per_class"] = [draw(labels, per_class, parameters.seed, number) for number in numbers]
        else:
            remarks.append(f"skipped {per_class} labels a class (evaluate_representation.labels_per_class): {smallest}")
    for percent in parameters.labels_percent:
        if _share(int(counts.min()), percent):
            draws[f"{percent}_percent"] = [draw_percent(labels, percent, parameters.seed, number) for number in numbers]
        else:
            remarks.append(
                f"skipped {percent} % of the labels (evaluate_representation.labels_percent): {smallest}, which leaves "
                "it none"
            )
    return draws, remarks


def _share(images: int, percent: int) -> int:
    """The nearest whole number; a half is rounded up."""
    return (2 * images * percent + 100) // 200
