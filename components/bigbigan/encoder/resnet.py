"""ResNet v2: pre-activation bottleneck blocks (He et al. 2016, "Identity mappings in deep residual networks")."""

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm2d
from components.bigbigan.recompute import Block

# Layers: blocks of each stage. A block has three of the layers; the stem and the classifier, which a trunk lacks, are
# the other two.
_BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class Bottleneck(Block):
    """1×1, 3×3 and 1×1 convolutions, a quarter as wide inside: N×C×H×W -> N×C'×H/stride×W/stride, rounded up."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        inner = out_channels // 4
        self.norm1 = BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.norm2 = BatchNorm2d(inner)
        # The stride stands here: before it, a 1×1 convolution would not see three quarters of its input.
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.norm3 = BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        changes = stride != 1 or in_channels != out_channels
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(x))
        shortcut = x if self.shortcut is None else self.shortcut(h)
        h = self.conv1(h)
        h = self.conv2(F.relu(self.norm2(h)))
        h = self.conv3(F.relu(self.norm3(h)))
        return shortcut + h


class ResNet(nn.Module):
    """Images, N×C×H×W in [-1, 1], of any size -> AvePool features, N×(2048·width).

    Args:
        layers: 50 or 101.
        width: factor of every layer's channels (Kolesnikov et al. 2019, section 3.1).

    Raises:
        ValueError: for another number of layers.
    """

    def __init__(self, image_channels: int, image_size: int, layers: int, width: int) -> None:
        super().__init__()
        if layers not in _BLOCKS:
            raise ValueError(f"a ResNet of {layers} layers is not known; give one of {', '.join(map(str, _BLOCKS))}")
        channels = 64 * width
        self.feature_size = 32 * channels
        self.stem = nn.Conv2d(image_channels, channels, 7, stride=2, padding=3, bias=False)
        blocks: list[nn.Module] = []
        in_channels = channels
        for stage, count in enumerate(_BLOCKS[layers]):
            out_channels = 4 * channels * 2**stage
            for i in range(count):
                blocks.append(Bottleneck(in_channels, out_channels, stride=2 if stage > 0 and i == 0 else 1))
                in_channels = out_channels
        self.blocks = nn.Sequential(*blocks)
        self.norm = BatchNorm2d(self.feature_size)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.stem(x), kernel_size=3, stride=2, padding=1)
        return F.relu(self.norm(self.blocks(x))).mean(dim=(2, 3))
