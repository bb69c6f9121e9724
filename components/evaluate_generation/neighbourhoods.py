"""Balls around features: what precision and recall, density and coverage are made of. Exact, in float64.

The neighbourhood of an image is the ball around its features, as wide as the distance to its k-th nearest neighbour in
the same set. Distances are taken some rows at a time: memory grows with the number of images, not with its square.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_ROWS = 1024


@dataclass(frozen=True)
class Neighbourhoods:
    """Centres N×D and squared radii N, float64."""

    centres: Tensor
    squared_radii: Tensor


def neighbourhoods(features: Tensor, neighbours: int) -> Neighbourhoods:
    """The balls around features N×D. An image is not its own neighbour. N must exceed `neighbours`."""
    if len(features) <= neighbours:
        raise ValueError(f"{len(features)} images have no {neighbours} neighbours each")
    centres = features.double()
    radii = []
    for start, distances in squared_distances(centres, centres):
        rows = torch.arange(len(distances), device=distances.device)
        distances[rows, start + rows] = torch.inf
        radii.append(distances.topk(neighbours, dim=1, largest=False).values[:, -1])
    return Neighbourhoods(centres, torch.cat(radii))


def inside(candidates: Tensor, balls: Neighbourhoods) -> Iterator[Tensor]:
    """Which balls some of the candidates N×D lie in: yields rows of candidates × balls, bool."""
    for _, distances in squared_distances(candidates.double(), balls.centres):
        yield distances <= balls.squared_radii


def squared_distances(first: Tensor, second: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yields (start, squared distances of some rows of `first` to all of `second`)."""
    # Around the mean, |a|² + |b|² - 2ab loses no digits to a common offset.
    middle = second.mean(0)
    second = second - middle
    squares = second.square().sum(1)
    for start in range(0, len(first), _ROWS):
        rows = first[start : start + _ROWS] - middle
        yield start, (rows.square().sum(1, keepdim=True) + squares - 2 * rows @ second.T).clamp(min=0)
