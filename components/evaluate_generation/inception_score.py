"""Inception score (Salimans et al. 2016, section 4): exp E_x KL(p(y|x) || p(y)), on any classifier's logits.

It is 1 where every image gets the same answer and K where K classes are told with certainty and equally often.
Only on Inception is it called the Inception score.
"""

import torch
from torch import Tensor


def divergences(logits: Tensor, splits: int) -> Tensor:
    """Mean KL(p(y|x) || p(y)) within each of `splits` consecutive parts, float64. Images must be in random order.

    Args:
        logits: N×K, N at least `splits`; parts differ by one image at most.
    """
    logarithms = logits.double().log_softmax(1)
    parts = []
    for part in torch.tensor_split(logarithms, splits):
        marginal = part.logsumexp(0) - torch.tensor(float(len(part)), dtype=torch.float64).log()
        parts.append((part.exp() * (part - marginal)).sum(1).mean())
    return torch.stack(parts)


def inception_score(divergence: Tensor) -> tuple[float, float]:
    """Mean and standard deviation (of the population, as in the paper's code) of exp(KL) over the parts."""
    scores = divergence.exp()
    return float(scores.mean()), float(scores.std(correction=0))
