"""D: BiGAN's permutation-invariant MLP (Donahue et al. 2017, section 4.2 and appendix)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm1d
from components.bigbigan.bigan import BATCH_NORM_EPS, LEAK, WEIGHT_STD
from components.bigbigan.discriminator.scores import Discriminator, Scores


class MLPDiscriminator(Discriminator):
    """Images, N×C×H×W in [-1, 1], and z, N×Z -> Scores. One score: of the pair, or of the image alone.

    Two hidden layers; a linear layer of z is added in the second, before batch normalisation. No layer has a bias,
    and batch normalisation, only in the second, has neither gain nor bias. Weights start as N(0, 0.02²), the last
    layer's as 0, so that the losses start at ln 2.

    Batch normalisation sees what one call gets: BiGAN calls D once with real pairs and once with generated ones.

    Args:
        width: of both hidden layers; BiGAN: 1024.
        scores: ["joint"], BiGAN's, or ["image"]: a plain GAN's; then there is no parameter for z, and z is not used.

    Raises:
        ValueError: `scores` is neither.
    """

    normalises_batches = True

    def __init__(
        self, image_channels: int, image_size: int, latent_size: int, width: int, scores: Sequence[str]
    ) -> None:
        super().__init__()
        if list(scores) not in (["joint"], ["image"]):
            raise ValueError(f'scores of the discriminator "mlp": {list(scores)}; must be ["joint"] or ["image"]')
        self.sees_latents = list(scores) == ["joint"]
        self.feature_size = width
        self.first = nn.Linear(image_channels * image_size**2, width, bias=False)
        self.second = nn.Linear(width, width, bias=False)
        self.latent_to_second = nn.Linear(latent_size, width, bias=False) if self.sees_latents else None
        self.norm = BatchNorm1d(width, eps=BATCH_NORM_EPS, affine=False)
        self.score = nn.Linear(width, 1, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=WEIGHT_STD)
        nn.init.zeros_(self.score.weight)

    def features(self, x: Tensor, z: Tensor | None) -> Tensor:
        """The second hidden layer, N×`feature_size`."""
        # BiGAN's digits are in [0, 1]. Without a bias that is another function than of pixels in [-1, 1].
        pixels = (x.flatten(1) + 1) / 2
        h = self.second(F.leaky_relu(self.first(pixels), LEAK))
        if self.latent_to_second is not None:
            h = h + self.latent_to_second(z)
        return F.leaky_relu(self.norm(h), LEAK)

    def forward(self, x: Tensor, z: Tensor | None) -> Scores:
        score = self.score(self.features(x, z)).squeeze(1)
        if self.sees_latents:
            return Scores(image=None, latent=None, joint=score)
        return Scores(image=score, latent=None, joint=None)
