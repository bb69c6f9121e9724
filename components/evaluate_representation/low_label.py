"""Few labels: so many train images of each class, drawn several times (section 4.1, low-label).

The images without labels still give the moments by which features are normalised, and validation keeps its labels.
"""

import numpy as np


def draw(labels: np.ndarray, per_class: int, seed: int, number: int) -> np.ndarray:
    """Indices of `per_class` images of every class in `labels`, without repeats: a function of the arguments alone."""
    generator = np.random.default_rng([seed, per_class, number])
    members = (np.flatnonzero(labels == label) for label in np.unique(labels))
    return np.concatenate([generator.choice(those, per_class, replace=False) for those in members])


def smallest_class(labels: np.ndarray) -> int:
    """The number of images in the smallest class that has any."""
    return int(np.unique(labels, return_counts=True)[1].min())
