"""G: BigGAN's generator without labels (section 3 and appendix; Brock et al. 2019, appendix B)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.attention import SelfAttention
from components.bigbigan.batch_norm import BatchNorm2d
from components.bigbigan.recompute import Block
from components.bigbigan.spectral_norm import SpectralConv2d, SpectralLinear, UpsampleConv2d

BATCH_NORM_EPS = 1e-4


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gain is 1 + W c and whose bias is V c: N×C×H×W and the condition c, N×K."""

    def __init__(self, channels: int, condition_size: int) -> None:
        super().__init__()
        self.gain = SpectralLinear(condition_size, channels, bias=False)
        self.bias = SpectralLinear(condition_size, channels, bias=False)
        self.normalise = BatchNorm2d(channels, eps=BATCH_NORM_EPS, affine=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain = 1.0 + self.gain(condition)
        return torch.addcmul(self.bias(condition)[:, :, None, None], self.normalise(x), gain[:, :, None, None])


class GeneratorBlock(Block):
    """A residual block that doubles the resolution: N×C×H×W -> N×C'×2H×2W."""

    def __init__(self, in_channels: int, out_channels: int, condition_size: int) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(in_channels, condition_size)
        self.conv1 = UpsampleConv2d(in_channels, out_channels)
        self.norm2 = ConditionalBatchNorm(out_channels, condition_size)
        self.conv2 = SpectralConv2d(out_channels, out_channels, 3)
        self.shortcut = SpectralConv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = self.conv1(F.relu(self.norm1(x, condition), inplace=True))
        h = self.conv2(F.relu(self.norm2(h, condition), inplace=True))
        # A 1×1 convolution and nearest-neighbour upsampling commute; this order does a quarter of the work.
        return h + F.interpolate(self.shortcut(x), scale_factor=2.0, mode="nearest")


class BigGANGenerator(nn.Module):
    """z, N×Z -> images, N×C×H×W in [-1, 1].

    z is cut into as many chunks as there are blocks, and one more. The first feeds the linear layer that makes the
    smallest map; each of the others, joined to the one learned embedding that takes the place of BigGAN's class
    embedding, conditions a block.

    Args:
        multipliers: of `channels`: the smallest map's, then one per block. BigGAN at 128 px: 16 16 8 4 2 1.
        attention_resolution: self-attention follows the block whose output has this height; 0 for none.
    """

    def __init__(
        self,
        image_channels: int,
        latent_size: int,
        image_size: int,
        channels: int,
        multipliers: Sequence[int],
        embedding_size: int,
        attention_resolution: int,
    ) -> None:
        super().__init__()
        widths = [channels * multiplier for multiplier in multipliers]
        blocks = len(widths) - 1
        self.smallest_size = image_size >> blocks
        self.chunk_size = latent_size // (blocks + 1)
        condition_size = self.chunk_size + embedding_size
        self.embedding = nn.Parameter(nn.init.orthogonal_(torch.empty(1, embedding_size)))
        self.seed = SpectralLinear(self.chunk_size, widths[0] * self.smallest_size**2)
        self.blocks = nn.ModuleList()
        self.attention = nn.ModuleDict()
        for index in range(blocks):
            self.blocks.append(GeneratorBlock(widths[index], widths[index + 1], condition_size))
            if self.smallest_size << (index + 1) == attention_resolution:
                self.attention[str(index)] = SelfAttention(widths[index + 1])
        self.norm = BatchNorm2d(widths[-1], eps=BATCH_NORM_EPS)
        self.to_image = SpectralConv2d(widths[-1], image_channels, 3)

    def forward(self, z: Tensor) -> Tensor:
        first, *chunks = z.split(self.chunk_size, dim=1)
        h = self.seed(first).unflatten(1, (-1, self.smallest_size, self.smallest_size))
        # The layout in which convolutions are fastest; the layers after this one keep it.
        h = h.contiguous(memory_format=torch.channels_last)
        embedding = self.embedding.expand(len(z), -1)
        for index, (block, chunk) in enumerate(zip(self.blocks, chunks, strict=True)):
            h = block(h, torch.cat([embedding, chunk], dim=1))
            if str(index) in self.attention:
                h = self.attention[str(index)](h)
        return torch.tanh(self.to_image(F.relu(self.norm(h))))
