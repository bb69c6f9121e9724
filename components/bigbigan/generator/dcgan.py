"""G: DCGAN's generator (Radford et al. 2016, section 4) as BiGAN has it (Donahue et al. 2017, appendix)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm1d, BatchNorm2d
from components.bigbigan.bigan import BATCH_NORM_EPS, WEIGHT_STD
from components.bigbigan.recompute import Block

KERNEL = 5
# z is added to sums over a whole kernel, so its weights start wider by the kernel's area.
LATENT_STD = WEIGHT_STD * KERNEL**2


def halvings(image_size: int) -> int:
    """How often `image_size` is halved down to the smallest map, 4 to 7 pixels high: 4 from 64, 2 from 28.

    Raises:
        ValueError: `image_size` is not 4, 5, 6 or 7 times a power of two, or below 8.
    """
    size, count = image_size, 0
    while size >= 8 and size % 2 == 0:
        size, count = size // 2, count + 1
    if count == 0 or size > 7:
        raise ValueError(f'image size {image_size} for "dcgan": must be 4, 5, 6 or 7 times 2, 4, 8, ...')
    return count


def upsampling_convolution(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """Doubles the resolution: N×C×H×W -> N×C'×2H×2W."""
    padding = KERNEL // 2
    return nn.ConvTranspose2d(
        in_channels, out_channels, KERNEL, stride=2, padding=padding, output_padding=1, bias=False
    )


class UpsamplingBlock(Block):
    """A hidden layer that doubles the resolution: N×C×H×W and z, N×Z -> N×C'×2H×2W.

    A linear layer of z, if there is one, is added at every position, before batch normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, latent_size: int, repeat_latent: bool) -> None:
        super().__init__()
        self.conv = upsampling_convolution(in_channels, out_channels)
        self.latent = nn.Linear(latent_size, out_channels, bias=False) if repeat_latent else None
        self.norm = BatchNorm2d(out_channels, eps=BATCH_NORM_EPS)
        nn.init.normal_(self.conv.weight, std=WEIGHT_STD)
        if self.latent is not None:
            nn.init.normal_(self.latent.weight, std=LATENT_STD)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        h = self.conv(h)
        if self.latent is not None:
            h = h + self.latent(z)[:, :, None, None]
        return F.relu(self.norm(h))


class DCGANGenerator(nn.Module):
    """z, N×Z -> images, N×C×H×W in [-1, 1].

    A linear layer makes the smallest map, each of the others is a 5×5 transposed convolution that doubles the
    resolution and halves the width. At 64 px: 4×4 of 8 × `channels`, then 4, 2, 1 × `channels`, then the image. No
    layer has a bias but those of batch normalisation. Weights start as N(0, 0.02²), those of z in the hidden
    convolutions as N(0, 0.5²).

    Radford et al. give z to the first layer only (`repeat_latent` off), and their output is tanh(h), not tanh(h / 2).
    BiGAN's network for 28 px has one more linear layer, 1024 wide, before the smallest map; this one does not.

    Args:
        image_size: 4, 5, 6 or 7 times a power of two.
        channels: width of the last hidden layer; DCGAN at 64 px: 128, BiGAN's runs on ImageNet: 64.
        repeat_latent: z enters every hidden layer, as in BiGAN.

    Raises:
        ValueError: `image_size` does not fit.
    """

    def __init__(
        self, image_channels: int, latent_size: int, image_size: int, channels: int, repeat_latent: bool
    ) -> None:
        super().__init__()
        count = halvings(image_size)
        widths = [channels << power for power in reversed(range(count))]
        smallest = image_size >> count
        self.smallest_shape = (widths[0], smallest, smallest)
        self.seed = nn.Linear(latent_size, widths[0] * smallest**2, bias=False)
        # Of single units, not of maps: each position has statistics, gain and bias of its own, as in BiGAN's code.
        self.seed_norm = BatchNorm1d(widths[0] * smallest**2, eps=BATCH_NORM_EPS)
        self.blocks = nn.ModuleList(
            UpsamplingBlock(wide, narrow, latent_size, repeat_latent) for wide, narrow in pairwise(widths)
        )
        self.to_image = upsampling_convolution(widths[-1], image_channels)
        for layer in (self.seed, self.to_image):
            nn.init.normal_(layer.weight, std=WEIGHT_STD)

    def forward(self, z: Tensor) -> Tensor:
        h = F.relu(self.seed_norm(self.seed(z))).unflatten(1, self.smallest_shape)
        for block in self.blocks:
            h = block(h, z)
        # BiGAN's images are sigmoids, in [0, 1]. tanh(h / 2) = 2 sigmoid(h) - 1 is the same function in [-1, 1].
        return torch.tanh(self.to_image(h) / 2)
