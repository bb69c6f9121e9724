"""D: DCGAN's discriminator (Radford et al. 2016, section 4), which BiGAN gives z (Donahue et al. 2017, appendix)."""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm2d
from components.bigbigan.bigan import BATCH_NORM_EPS, LEAK, WEIGHT_STD
from components.bigbigan.discriminator.scores import Discriminator, Scores
from components.bigbigan.generator.dcgan import KERNEL, LATENT_STD, halvings
from components.bigbigan.recompute import Block


def downsampling_convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Halves the resolution: N×C×2H×2W -> N×C'×H×W."""
    return nn.Conv2d(in_channels, out_channels, KERNEL, stride=2, padding=KERNEL // 2, bias=False)


class DownsamplingBlock(Block):
    """A hidden layer that halves the resolution: N×C×2H×2W and, if the score is of pairs, z, N×Z -> N×C'×H×W.

    A linear layer of z is added at every position, before batch normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, latent_size: int, joint: bool) -> None:
        super().__init__()
        self.conv = downsampling_convolution(in_channels, out_channels)
        self.latent = nn.Linear(latent_size, out_channels, bias=False) if joint else None
        self.norm = BatchNorm2d(out_channels, eps=BATCH_NORM_EPS)
        nn.init.normal_(self.conv.weight, std=WEIGHT_STD)
        if self.latent is not None:
            nn.init.normal_(self.latent.weight, std=LATENT_STD)

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        h = self.conv(h)
        if self.latent is not None:
            h = h + self.latent(z)[:, :, None, None]
        return F.leaky_relu(self.norm(h), LEAK)


class DCGANDiscriminator(Discriminator):
    """Images, N×C×H×W in [-1, 1], and z, N×Z -> Scores. One score: of the pair, or of the image alone.

    5×5 convolutions halve the resolution and double the width. At 64 px: 1, 2, 4, 8 × `channels`, then one linear
    layer of the flattened 4×4 map. z is added in each convolution but the first, which has no batch normalisation
    either. No layer has a bias but those of batch normalisation. Weights start as N(0, 0.02²), those of z as
    N(0, 0.5²), the last layer's as 0, so that the losses start at ln 2.

    Radford et al. start the last layer as N(0, 0.02²). BiGAN's network for 28 px has one more linear layer, 1024
    wide, before the score; this one does not. Batch normalisation sees what one call gets: both sources call D once
    with real images and once with generated ones.

    Args:
        image_size: 4, 5, 6 or 7 times a power of two.
        channels: width of the first layer; DCGAN at 64 px: 128, BiGAN's runs on ImageNet: 64.
        scores: ["joint"], BiGAN's, or ["image"], DCGAN's; then there is no parameter for z, and z is not used.

    Raises:
        ValueError: `image_size` does not fit, or `scores` is neither.
    """

    normalises_batches = True

    def __init__(
        self, image_channels: int, image_size: int, latent_size: int, channels: int, scores: Sequence[str]
    ) -> None:
        super().__init__()
        if list(scores) not in (["joint"], ["image"]):
            raise ValueError(f'scores of the discriminator "dcgan": {list(scores)}; must be ["joint"] or ["image"]')
        self.sees_latents = list(scores) == ["joint"]
        count = halvings(image_size)
        widths = [channels << power for power in range(count)]
        self.feature_size = widths[-1] * (image_size >> count) ** 2
        self.from_image = downsampling_convolution(image_channels, widths[0])
        self.blocks = nn.ModuleList(
            DownsamplingBlock(narrow, wide, latent_size, self.sees_latents) for narrow, wide in pairwise(widths)
        )
        self.score = nn.Linear(self.feature_size, 1, bias=False)
        nn.init.normal_(self.from_image.weight, std=WEIGHT_STD)
        nn.init.zeros_(self.score.weight)

    def features(self, x: Tensor, z: Tensor | None) -> Tensor:
        """The last map, flattened: N×`feature_size`."""
        h = F.leaky_relu(self.from_image(x), LEAK)
        for block in self.blocks:
            h = block(h, z)
        return h.flatten(1)

    def forward(self, x: Tensor, z: Tensor | None) -> Scores:
        score = self.score(self.features(x, z)).squeeze(1)
        if self.sees_latents:
            return Scores(image=None, latent=None, joint=score)
        return Scores(image=score, latent=None, joint=None)
