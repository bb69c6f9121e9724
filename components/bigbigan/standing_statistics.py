"""Standing statistics: batch normalisation's mean and variance, averaged over many batches (BigGAN, section 4)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm


@torch.no_grad()
def recompute(module: nn.Module, batches: Iterable[tuple[Tensor, ...]]) -> None:
    """Replaces the running statistics of every batch normalisation in `module`, and leaves it in eval mode.

    Each batch is normalised by itself, without any collective: one rank may call this while others do not.

    Args:
        module: with the layers of `batch_norm`.
        batches: the arguments of `module`, batch by batch. The statistics are the plain average over these batches,
            of the mean and the unbiased variance.

    Raises:
        ValueError: if `module` has batch normalisations of torch's own classes, which average otherwise.
    """
    norms = []
    for name, layer in module.named_modules():
        if isinstance(layer, BatchNorm):
            norms.append(layer)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            raise ValueError(f"{name} is torch's own {type(layer).__name__}: use the layers of batch_norm.py")
    for norm in norms:
        norm.reset_running_stats()
    with _collecting(module, norms):
        for batch in batches:
            module(*batch)


@contextmanager
def _collecting(module: nn.Module, norms: list[BatchNorm]) -> Iterator[None]:
    """Training mode, with running statistics; afterwards eval mode, even if a batch fails."""
    module.train()
    for norm in norms:
        norm.collects = True
    try:
        yield
    finally:
        for norm in norms:
            norm.collects = False
        module.eval()
