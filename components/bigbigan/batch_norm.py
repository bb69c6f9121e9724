"""Batch normalisation (Ioffe & Szegedy 2015) by the statistics of the global batch, without side effects.

In training mode a forward pass writes nothing: it may be repeated (activation checkpointing, reversible networks),
gradient accumulation does not count its batches, and a resumed run needs nothing of it. Evaluation uses running
statistics, which only `standing_statistics` writes.
"""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """What the two layers below share. Their state dict has the keys of torch's own layers.

    Attributes:
        collects: in training mode, normalise by the batch of this process alone and average its statistics into the
            running ones, as torch's own layers do. For `standing_statistics`, which no other process takes part in.
    """

    def __init__(self, channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        # Without momentum, what is collected is averaged plainly.
        super().__init__(channels, eps=eps, momentum=None, affine=affine)
        self.collects = False

    def forward(self, x: Tensor) -> Tensor:
        if self.collects or not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        # Given in float32 even where there is none: on the CPU it decides the precision of the statistics.
        gain = torch.ones_like(self.running_mean) if self.weight is None else self.weight
        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            return _normalise_over_ranks(x, gain, self.bias, self.eps)
        return F.batch_norm(x, None, None, gain, self.bias, training=True, eps=self.eps)


class BatchNorm1d(BatchNorm, nn.BatchNorm1d):
    """Batch normalisation of features: N×C -> N×C, in the dtype of x; the statistics are at least float32.

    In a process group of several ranks N must be the same on each, and all must take the same passes through the
    layer: each pass, forward or backward, is one collective.

    Raises:
        ValueError: in training mode, if the global batch holds a single value per channel.
    """


class BatchNorm2d(BatchNorm, nn.BatchNorm2d):
    """Batch normalisation of maps: N×C×H×W -> N×C×H×W, in the memory format of x; else as `BatchNorm1d`."""


def _normalise_over_ranks(x: Tensor, gain: Tensor, bias: Tensor | None, eps: float) -> Tensor:
    """(x - mean) / sqrt(variance + eps) · gain + bias; the moments' gradients reach the batches of all ranks."""
    mean, variance = _global_moments(x)
    deviation = (variance + eps).sqrt()
    # F.batch_norm takes the moments as constants but has gradients for gain and bias. So the moments' gradients pass
    # through factors that are 1 and a summand that is 0: one fused operation, whatever the device.
    shift = gain * (mean.detach() - mean) / deviation
    gain = gain * (deviation.detach() / deviation)
    offset = shift if bias is None else bias + shift
    return F.batch_norm(x, mean.detach(), variance.detach(), gain, offset, training=False, eps=eps)


def _global_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel over all ranks, from those of each rank (Chan et al. 1979)."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    variance, mean = torch.var_mean(wide, [0, *range(2, x.dim())], correction=0)
    # Each rank fills its own row, so that the sum over ranks gathers them; the sum's gradient is again a sum.
    rows = mean.new_zeros(dist.get_world_size(), 2, mean.numel())
    rows[dist.get_rank()] = torch.stack([mean, variance])
    means, variances = _SumOverRanks.apply(rows).unbind(1)
    mean = means.mean(0)
    return mean, (variances + (means - mean).square()).mean(0)


class _SumOverRanks(torch.autograd.Function):
    """The sum of all ranks' tensors, on each rank; the loss that is differentiated is the sum of all ranks' losses."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _SumOverRanks.apply(gradient)
