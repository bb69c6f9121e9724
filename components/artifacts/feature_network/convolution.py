"""A convolution with frozen batch normalisation, the brick of published networks, that can be folded into one."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class FrozenBatchNorm(nn.Module):
    """Batch normalisation with stored statistics: those four tensors and nothing else."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class NormalisedConvolution(nn.Module):
    """Convolution, batch normalisation, activation."""

    def __init__(self, conv: nn.Conv2d, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = conv
        self.bn: nn.Module = FrozenBatchNorm(conv.out_channels)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.bn(self.conv(x)))

    def fold(self) -> None:
        """Moves the normalisation, a scale and a shift of each channel, into the convolution's weights and bias."""
        norm = self.bn
        if not isinstance(norm, FrozenBatchNorm):
            return
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        shift = norm.bias.double() - norm.running_mean.double() * scale
        dtype = self.conv.weight.dtype
        weight = (self.conv.weight.double() * scale[:, None, None, None]).to(dtype)
        self.conv.weight = nn.Parameter(weight, requires_grad=False)
        self.conv.bias = nn.Parameter(shift.to(dtype), requires_grad=False)
        self.bn = nn.Identity()


def fold(network: nn.Module) -> None:
    """Folds every normalisation of a network, in place: the same outputs up to rounding, and fewer passes over them."""
    for module in network.modules():
        if isinstance(module, NormalisedConvolution):
            module.fold()
