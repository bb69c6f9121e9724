"""k nearest neighbours: exact, by cosine similarity."""

import torch
import torch.nn.functional as F
from torch import Tensor

_SIMILARITIES_AT_ONCE = 2**24


def nearest(queries: Tensor, train: Tensor, k: int) -> Tensor:
    """Indices of the k most similar train rows for each query, the most similar first: Q×F, N×F -> Q×k, int64."""
    directions = F.normalize(train.double(), dim=1)
    chunks = F.normalize(queries.double(), dim=1).split(max(1, _SIMILARITIES_AT_ONCE // len(train)))
    return torch.cat([(chunk @ directions.T).topk(k, dim=1).indices for chunk in chunks])


def vote(neighbour_labels: Tensor, k: int, classes: int) -> Tensor:
    """The most frequent label among the k nearest; of several, the one whose nearest member is nearest.

    Args:
        neighbour_labels: Q×(k or more), int64, the nearest first.

    Returns:
        Q, int64.
    """
    ballots = neighbour_labels[:, :k]
    votes = torch.zeros(len(ballots), classes, dtype=torch.int64, device=ballots.device)
    votes.scatter_add_(1, ballots, torch.ones_like(ballots))
    winners = votes == votes.amax(1, keepdim=True)
    first = winners.gather(1, ballots).int().argmax(1, keepdim=True)
    return ballots.gather(1, first).squeeze(1)
