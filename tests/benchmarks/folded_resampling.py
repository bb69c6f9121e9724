"""How much faster the folded resampling convolutions are than the plain ones, forward and backward, in one run.

    make benchmark

Prints a ratio per layer of the default model: above 1, folding wins. The two are interleaved and the median is taken,
so that a noisy machine disturbs both alike.
"""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from components.bigbigan.spectral_norm import DownsampleConv2d, SpectralConv2d, UpsampleConv2d

REPEATS = 60


def plain_upsample(layer: SpectralConv2d, x: Tensor) -> Tensor:
    return F.conv2d(F.interpolate(x, scale_factor=2.0), layer.normalised_weight(), layer.bias, padding=1)


def plain_downsample(layer: SpectralConv2d, x: Tensor) -> Tensor:
    return F.avg_pool2d(F.conv2d(x, layer.normalised_weight(), layer.bias, padding=1), 2)


def seconds(forward: Callable[[Tensor], Tensor], x: Tensor) -> float:
    started = time.perf_counter()
    forward(x).square().sum().backward()
    return time.perf_counter() - started


def ratio(layer: SpectralConv2d, plain: Callable[[SpectralConv2d, Tensor], Tensor], x: Tensor) -> float:
    """Median time of the plain way over that of the folded one."""
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    layer = layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    torch.testing.assert_close(layer(x), plain(layer, x), rtol=1e-3, atol=1e-4)
    times = [(seconds(lambda x: plain(layer, x), x), seconds(layer, x)) for _ in range(REPEATS)]
    return statistics.median(first for first, _ in times) / statistics.median(second for _, second in times)


LAYERS = (
    ("G, 64 -> 32 channels, 7 -> 14 px", UpsampleConv2d(64, 32), plain_upsample, (32, 64, 7, 7)),
    ("G, 32 -> 16 channels, 14 -> 28 px", UpsampleConv2d(32, 16), plain_upsample, (32, 32, 14, 14)),
    ("D, 16 -> 16 channels, 28 -> 14 px", DownsampleConv2d(16, 16), plain_downsample, (64, 16, 28, 28)),
    ("D, 32 -> 32 channels, 14 -> 7 px", DownsampleConv2d(32, 32), plain_downsample, (64, 32, 14, 14)),
)


def main() -> None:
    print(f"plain / folded, median of {REPEATS}, {torch.get_num_threads()} threads")
    for name, layer, plain, shape in LAYERS:
        print(f"{name:<36} {ratio(layer, plain, torch.randn(shape)):.2f}")


if __name__ == "__main__":
    main()
