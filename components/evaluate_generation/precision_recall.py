"""Precision and recall of a generator (Kynkäänniemi et al. 2019, section 3), exact, in float64.

The manifold of a set of features is the union of balls around each of them, as wide as the distance to its k-th
nearest neighbour in the set. Precision: the share of generated images in the manifold of real ones (do they look
real?). Recall: the share of real images in the manifold of generated ones (are all kinds generated?). Both depend
on the number of images: use as many on each side.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_ROWS = 1024


@dataclass(frozen=True)
class Manifold:
    """Centres N×D and squared radii N, float64."""

    centres: Tensor
    squared_radii: Tensor


def manifold(features: Tensor, neighbours: int) -> Manifold:
    """The balls around features N×D. An image is not its own neighbour. N must exceed `neighbours`."""
    if len(features) <= neighbours:
        raise ValueError(f"{len(features)} images have no {neighbours} neighbours each")
    centres = features.double()
    radii = []
    for start, distances in _squared_distances(centres, centres):
        rows = torch.arange(len(distances))
        distances[rows, start + rows] = torch.inf
        radii.append(distances.topk(neighbours, dim=1, largest=False).values[:, -1])
    return Manifold(centres, torch.cat(radii))


def coverage(candidates: Tensor, covering: Manifold) -> float:
    """The share of candidates, N×D, that lie in at least one ball. Precision: generated in real; recall: reverse."""
    inside = 0
    for _, distances in _squared_distances(candidates.double(), covering.centres):
        inside += int((distances <= covering.squared_radii).any(1).sum())
    return inside / len(candidates)


def _squared_distances(first: Tensor, second: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yields (start, squared distances of some rows of `first` to all of `second`)."""
    # Around the mean, |a|² + |b|² - 2ab loses no digits to a common offset.
    middle = second.mean(0)
    second = second - middle
    squares = second.square().sum(1)
    for start in range(0, len(first), _ROWS):
        rows = first[start : start + _ROWS] - middle
        yield start, (rows.square().sum(1, keepdim=True) + squares - 2 * rows @ second.T).clamp(min=0)
