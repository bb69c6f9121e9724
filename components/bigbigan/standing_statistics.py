"""Standing statistics: batch normalisation's mean and variance, averaged over many batches (BigGAN, section 4)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def recompute(module: nn.Module, batches: Iterable[tuple[Tensor, ...]]) -> None:
    """Replaces the running statistics of every batch normalisation in `module`, and leaves it in eval mode.

    Args:
        batches: the arguments of `module`, batch by batch. The statistics are the plain average over these batches.
    """
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average, not an exponential one
    module.train()
    for batch in batches:
        module(*batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.eval()
