"""D: three scores of a pair (x, z), from F on the image, H on the latent and J on both (section 3, figure 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from components.bigbigan.discriminator.biggan import ImageFeatures
from components.bigbigan.discriminator.scores import Discriminator, Scores
from components.bigbigan.residual_mlp import ResidualMLP
from components.bigbigan.spectral_norm import SpectralLinear


class BigBiGANDiscriminator(Discriminator):
    """(x, z) -> Scores: s_x = linear(F(x)), s_z = linear(H(z)), s_xz = linear(J([F(x), H(z)])).

    A network that no score needs does not exist: with "image" alone this is BigGAN's discriminator, and z is not used.

    Args:
        channels, multipliers, downsampling_blocks, attention_resolution: of F.
        head_width, head_layers: of the residual MLPs H and J.
        scores: which exist, of "image", "latent", "joint".
    """

    normalises_batches = False

    def __init__(
        self,
        image_channels: int,
        image_size: int,
        latent_size: int,
        channels: int,
        multipliers: Sequence[int],
        downsampling_blocks: int,
        attention_resolution: int,
        head_width: int,
        head_layers: int,
        scores: Sequence[str],
    ) -> None:
        super().__init__()
        joint = "joint" in scores
        self.sees_latents = joint or "latent" in scores
        self.image_features = self.latent_features = self.joint_features = None
        if joint or "image" in scores:
            self.image_features = ImageFeatures(
                image_channels, image_size, channels, multipliers, downsampling_blocks, attention_resolution
            )
        if joint or "latent" in scores:
            self.latent_features = ResidualMLP(latent_size, head_width, head_layers, SpectralLinear)
        if self.image_features and self.latent_features and joint:
            joint_size = self.image_features.feature_size + head_width
            self.joint_features = ResidualMLP(joint_size, head_width, head_layers, SpectralLinear)
        self.image_score = self.latent_score = self.joint_score = None
        if self.image_features and "image" in scores:
            self.image_score = SpectralLinear(self.image_features.feature_size, 1)
        if "latent" in scores:
            self.latent_score = SpectralLinear(head_width, 1)
        if joint:
            self.joint_score = SpectralLinear(head_width, 1)

    def forward(self, x: Tensor, z: Tensor | None) -> Scores:
        image = None if self.image_features is None else self.image_features(x)
        latent = None if self.latent_features is None else self.latent_features(z)
        joint = None
        if self.joint_features is not None and image is not None and latent is not None:
            joint = self.joint_features(torch.cat([image, latent], dim=1))
        return Scores(
            image=None if self.image_score is None else self.image_score(image).squeeze(1),
            latent=None if self.latent_score is None else self.latent_score(latent).squeeze(1),
            joint=None if self.joint_score is None else self.joint_score(joint).squeeze(1),
        )
