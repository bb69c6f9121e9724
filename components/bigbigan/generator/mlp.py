"""G: BiGAN's permutation-invariant MLP (Donahue et al. 2017, section 4.2 and appendix)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm1d
from components.bigbigan.bigan import BATCH_NORM_EPS, WEIGHT_STD


class MLPGenerator(nn.Module):
    """z, N×Z -> images, N×C×H×W in [-1, 1]: two hidden layers, the second of which gets z once more.

    No layer has a bias, and batch normalisation has neither gain nor bias. Weights start as N(0, 0.02²).

    Args:
        width: of both hidden layers; BiGAN: 1024.
    """

    def __init__(self, image_channels: int, latent_size: int, image_size: int, width: int) -> None:
        super().__init__()
        self.image_shape = (image_channels, image_size, image_size)
        self.first = nn.Linear(latent_size, width, bias=False)
        self.norm1 = BatchNorm1d(width, eps=BATCH_NORM_EPS, affine=False)
        self.second = nn.Linear(width, width, bias=False)
        self.latent_to_second = nn.Linear(latent_size, width, bias=False)
        self.norm2 = BatchNorm1d(width, eps=BATCH_NORM_EPS, affine=False)
        self.to_image = nn.Linear(width, math.prod(self.image_shape), bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=WEIGHT_STD)

    def forward(self, z: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.first(z)))
        h = F.relu(self.norm2(self.second(h) + self.latent_to_second(z)))
        # BiGAN's images are sigmoids, in [0, 1]. tanh(h / 2) = 2 sigmoid(h) - 1 is the same function in [-1, 1].
        return torch.tanh(self.to_image(h) / 2).unflatten(1, self.image_shape)
