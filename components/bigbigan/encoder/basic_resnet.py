"""A trunk small enough for a CPU: a pre-activation residual network of basic blocks (He et al. 2016)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm2d
from components.bigbigan.recompute import Block


class BasicBlock(Block):
    """Two 3×3 convolutions: N×C×H×W -> N×C'×H/stride×W/stride."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm2 = BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        changes = stride != 1 or in_channels != out_channels
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(x), inplace=True)
        shortcut = x if self.shortcut is None else self.shortcut(h)
        return shortcut + self.conv2(F.relu(self.norm2(self.conv1(h)), inplace=True))


class BasicResNet(nn.Module):
    """Images, N×C×H×W in [-1, 1] -> AvePool features, N×F.

    Args:
        channels: of the stem, a convolution of stride 2.
        multipliers: of `channels`, one per block; every block but the first halves the resolution.
    """

    def __init__(
        self, image_channels: int, image_size: int, channels: int, multipliers: Sequence[int], stem_kernel: int
    ) -> None:
        super().__init__()
        widths = [channels, *(channels * multiplier for multiplier in multipliers)]
        self.feature_size = widths[-1]
        self.stem = nn.Conv2d(image_channels, channels, stem_kernel, stride=2, padding=stem_kernel // 2, bias=False)
        self.blocks = nn.Sequential(
            *(BasicBlock(widths[i], widths[i + 1], stride=1 if i == 0 else 2) for i in range(len(multipliers)))
        )
        self.norm = BatchNorm2d(widths[-1])
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.blocks(self.stem(x)))).mean(dim=(2, 3))
