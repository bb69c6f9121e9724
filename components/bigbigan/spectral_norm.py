"""Spectral normalisation (Miyato et al. 2018), with the power iteration as a step of its own.

A layer divides its weight by sigma = uᵀ W v, the estimate of its largest singular value. The forward pass only
reads u and v; `power_iteration` renews them. So a forward pass has no side effect, and the iteration happens once
per optimiser step, however many passes that step takes.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _SpectralNorm(nn.Module):
    """What the layers below share: the buffers u and v, and the normalised weight."""

    weight: Tensor
    u: Tensor
    v: Tensor

    def _start(self) -> None:
        nn.init.orthogonal_(self.weight)
        rows, columns = self.weight.flatten(1).shape
        self.register_buffer("u", F.normalize(torch.randn(rows), dim=0))
        self.register_buffer("v", torch.zeros(columns))
        self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """One step of the power iteration: v = Wᵀu / |Wᵀu|, u = Wv / |Wv|."""
        matrix = self.weight.flatten(1)
        self.v.copy_(F.normalize(torch.mv(matrix.t(), self.u), dim=0))
        self.u.copy_(F.normalize(torch.mv(matrix, self.v), dim=0))

    def normalised_weight(self) -> Tensor:
        """W / sigma; the gradient flows through W in both. In W's own precision, whatever the pass around it has."""
        with _without_autocast(self.weight.device.type):
            sigma = torch.dot(self.u, torch.mv(self.weight.flatten(1), self.v))
            return self.weight / sigma


def _without_autocast(device: str) -> AbstractContextManager[None]:
    # The meta device, on which there are shapes only, has no autocast; and entering a context costs time.
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


class SpectralLinear(_SpectralNorm, nn.Linear):
    """nn.Linear with a spectrally normalised weight."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias)
        self._start()

    def reset_parameters(self) -> None:
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.normalised_weight(), self.bias)


class SpectralConv2d(_SpectralNorm, nn.Conv2d):
    """nn.Conv2d, stride 1, same size, with a spectrally normalised weight."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
        self._start()

    def reset_parameters(self) -> None:
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.normalised_weight(), self.bias, padding=self.padding)


class UpsampleConv2d(SpectralConv2d):
    """Nearest-neighbour upsampling by 2, then a 3×3 convolution: N×C×H×W -> N×C'×2H×2W.

    Computed as one transposed 4×4 convolution of stride 2, whose kernel sums the 3×3 taps that fall on the same
    source pixel: the same numbers with 4 products per output pixel and channel instead of 9.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3)

    def forward(self, x: Tensor) -> Tensor:
        flipped = self.normalised_weight().flip(2, 3)
        kernel = 4.0 * F.avg_pool2d(F.pad(flipped, (1, 1, 1, 1)), kernel_size=2, stride=1)
        return F.conv_transpose2d(x, kernel.transpose(0, 1), self.bias, stride=2, padding=1)


class DownsampleConv2d(SpectralConv2d):
    """A 3×3 convolution, then 2×2 average pooling: N×C×H×W -> N×C'×⌊H/2⌋×⌊W/2⌋.

    Computed as one 4×4 convolution of stride 2, whose kernel is the 3×3 one averaged over the four positions that
    the pooling joins: the same numbers with 16 products per output pixel and channel instead of 36.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3)

    def forward(self, x: Tensor) -> Tensor:
        kernel = F.avg_pool2d(F.pad(self.normalised_weight(), (1, 1, 1, 1)), kernel_size=2, stride=1)
        return F.conv2d(x, kernel, self.bias, stride=2, padding=1)


def power_iteration(network: nn.Module, steps: int = 1) -> None:
    """Renews u and v of every spectrally normalised layer in `network`."""
    for layer in network.modules():
        if isinstance(layer, _SpectralNorm):
            for _ in range(steps):
                layer.iterate()


def copy_vectors(source: nn.Module, target: nn.Module) -> None:
    """Gives every spectrally normalised layer in `target` the u and v of the layer of the same name in `source`."""
    layers = dict(source.named_modules())
    for name, layer in target.named_modules():
        if isinstance(layer, _SpectralNorm):
            layer.u.copy_(layers[name].u)
            layer.v.copy_(layers[name].v)
