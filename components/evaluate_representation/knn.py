"""k nearest neighbours: exact, by cosine similarity."""

import torch
import torch.nn.functional as F
from torch import Tensor

from components.evaluate_representation.probe import precision
from components.evaluate_representation.rows import NUMBERS_AT_ONCE, Rows


def nearest(queries: Rows, train: Rows, k: int) -> Tensor:
    """Row numbers of the k most similar train rows for each query, the most similar first: Q×F, N×F -> Q×k, int64.

    A chunk of queries meets one chunk of train rows after the other, and keeps its k best: at no time are there more
    similarities than one chunk has with another.
    """
    dtype = precision(queries.device)
    found = []
    for _, some in queries.chunks():
        directions = F.normalize(some.to(dtype), dim=1)
        best = directions.new_full((len(some), 0), 0.0)
        numbers = torch.empty(len(some), 0, dtype=torch.int64, device=queries.device)
        for part, others in train.chunks(numbers_a_row=len(some)):
            similarities = directions @ F.normalize(others.to(dtype), dim=1).T
            near = similarities.topk(min(k, len(others)), dim=1)
            best = torch.cat([best, near.values], dim=1)
            numbers = torch.cat([numbers, near.indices + part.start], dim=1)
            best, order = best.topk(min(k, best.shape[1]), dim=1)
            numbers = numbers.gather(1, order)
        found.append(numbers)
    return torch.cat(found)


def vote(neighbour_labels: Tensor, k: int, classes: int) -> Tensor:
    """The most frequent label among the k nearest; of several, the one whose nearest member is nearest.

    Args:
        neighbour_labels: Q×(k or more), int64, the nearest first.

    Returns:
        Q, int64.
    """
    return torch.cat([_vote(ballots[:, :k], classes) for ballots in neighbour_labels.split(NUMBERS_AT_ONCE // classes)])


def _vote(ballots: Tensor, classes: int) -> Tensor:
    votes = torch.zeros(len(ballots), classes, dtype=torch.int64, device=ballots.device)
    votes.scatter_add_(1, ballots, torch.ones_like(ballots))
    winners = votes == votes.amax(1, keepdim=True)
    first = winners.gather(1, ballots).int().argmax(1, keepdim=True)
    return ballots.gather(1, first).squeeze(1)
