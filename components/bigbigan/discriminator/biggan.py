"""F: BigGAN's discriminator without projection (section 3 and appendix; Brock et al. 2019, appendix B)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.attention import SelfAttention
from components.bigbigan.recompute import Block
from components.bigbigan.spectral_norm import DownsampleConv2d, SpectralConv2d


class DiscriminatorBlock(Block):
    """A residual block without normalisation: N×C×H×W -> N×C'×H'×W', H' = ⌊H/2⌋ if it downsamples.

    The network's first block gets pixels: no ReLU comes before them, and its shortcut pools before it convolves. As
    a 1×1 convolution and average pooling commute, every block pools first.
    """

    def __init__(self, in_channels: int, out_channels: int, downsample: bool, first: bool) -> None:
        super().__init__()
        self.downsample, self.first = downsample, first
        self.conv1 = SpectralConv2d(in_channels, out_channels, 3)
        self.conv2: nn.Module
        if downsample:
            self.conv2 = DownsampleConv2d(out_channels, out_channels)
        else:
            self.conv2 = SpectralConv2d(out_channels, out_channels, 3)
        changes = downsample or in_channels != out_channels
        self.shortcut = SpectralConv2d(in_channels, out_channels, 1) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(x if self.first else F.relu(x))
        h = self.conv2(F.relu(h, inplace=True))
        return h + self.shortcut(F.avg_pool2d(x, 2) if self.downsample else x)


class ImageFeatures(nn.Module):
    """F: BigGAN's discriminator up to its global sum pooling. N×C×H×W in [-1, 1] -> N×F."""

    def __init__(
        self,
        image_channels: int,
        image_size: int,
        channels: int,
        multipliers: Sequence[int],
        downsampling_blocks: int,
        attention_resolution: int,
    ) -> None:
        super().__init__()
        widths = [image_channels, *(channels * multiplier for multiplier in multipliers)]
        self.feature_size = widths[-1]
        self.layers = nn.Sequential()
        resolution = image_size
        for index in range(len(multipliers)):
            downsample = index < downsampling_blocks
            self.layers.append(DiscriminatorBlock(widths[index], widths[index + 1], downsample, first=index == 0))
            resolution = resolution // 2 if downsample else resolution
            if downsample and resolution == attention_resolution:
                self.layers.append(SelfAttention(widths[index + 1]))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.layers(x)).sum(dim=(2, 3))
