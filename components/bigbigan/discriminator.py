"""D: three scores of a pair (x, z), from F on the image, H on the latent and J on both (section 3, figure 1)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.attention import SelfAttention
from components.bigbigan.residual_mlp import ResidualMLP
from components.bigbigan.spectral_norm import DownsampleConv2d, SpectralConv2d, SpectralLinear


class Scores(NamedTuple):
    """What D says of N pairs, each term of shape N; a unary term that the configuration leaves out is None."""

    image: Tensor | None
    latent: Tensor | None
    joint: Tensor

    def terms(self) -> dict[str, Tensor]:
        """The terms that exist, by name."""
        return {name: term for name, term in self._asdict().items() if term is not None}

    def split(self, first: int) -> tuple["Scores", "Scores"]:
        """The scores of the first so many pairs, and those of the rest."""

        def part(rows: slice) -> Scores:
            image = None if self.image is None else self.image[rows]
            latent = None if self.latent is None else self.latent[rows]
            return Scores(image, latent, self.joint[rows])

        return part(slice(None, first)), part(slice(first, None))


class DiscriminatorBlock(nn.Module):
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
        h = self.conv2(F.relu(h))
        return h + self.shortcut(F.avg_pool2d(x, 2) if self.downsample else x)


class ImageFeatures(nn.Module):
    """F: BigGAN's discriminator up to its global sum pooling. N×C×H×W in [-1, 1] -> N×F."""

    def __init__(
        self,
        image_size: int,
        image_channels: int,
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


class Discriminator(nn.Module):
    """(x, z) -> Scores: s_x = linear(F(x)), s_z = linear(H(z)), s_xz = linear(J([F(x), H(z)])).

    Args:
        image_features: F.
        head_width, head_layers: of the residual MLPs H and J.
        image_unary, latent_unary: whether s_x and s_z exist (the ablations "x unary only" and "No unaries").
    """

    def __init__(
        self,
        image_features: ImageFeatures,
        latent_size: int,
        head_width: int,
        head_layers: int,
        image_unary: bool,
        latent_unary: bool,
    ) -> None:
        super().__init__()
        self.image_features = image_features
        self.latent_features = ResidualMLP(latent_size, head_width, head_layers, SpectralLinear)
        joint_size = image_features.feature_size + head_width
        self.joint_features = ResidualMLP(joint_size, head_width, head_layers, SpectralLinear)
        self.image_score = SpectralLinear(image_features.feature_size, 1) if image_unary else None
        self.latent_score = SpectralLinear(head_width, 1) if latent_unary else None
        self.joint_score = SpectralLinear(head_width, 1)

    def forward(self, x: Tensor, z: Tensor) -> Scores:
        image = self.image_features(x)
        latent = self.latent_features(z)
        joint = self.joint_features(torch.cat([image, latent], dim=1))
        return Scores(
            image=None if self.image_score is None else self.image_score(image).squeeze(1),
            latent=None if self.latent_score is None else self.latent_score(latent).squeeze(1),
            joint=self.joint_score(joint).squeeze(1),
        )
