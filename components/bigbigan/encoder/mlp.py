"""Trunk of E: BiGAN's permutation-invariant MLP (Donahue et al. 2017, section 4.2 and appendix)."""

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm1d
from components.bigbigan.bigan import BATCH_NORM_EPS, LEAK, WEIGHT_STD


class MLPTrunk(nn.Module):
    """Images, N×C×H×W in [-1, 1] -> features, N×`feature_size`: the second hidden layer, which BiGAN evaluates.

    No layer has a bias. Batch normalisation, without gain and bias, only in the second. Weights start as N(0, 0.02²).

    Args:
        width: of both hidden layers; BiGAN: 1024.
    """

    def __init__(self, image_channels: int, image_size: int, width: int) -> None:
        super().__init__()
        self.feature_size = width
        self.first = nn.Linear(image_channels * image_size**2, width, bias=False)
        self.second = nn.Linear(width, width, bias=False)
        self.norm = BatchNorm1d(width, eps=BATCH_NORM_EPS, affine=False)
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight, std=WEIGHT_STD)

    def forward(self, x: Tensor) -> Tensor:
        # BiGAN's digits are in [0, 1]. Without a bias that is another function than of pixels in [-1, 1].
        pixels = (x.flatten(1) + 1) / 2
        h = F.leaky_relu(self.first(pixels), LEAK)
        return F.leaky_relu(self.norm(self.second(h)), LEAK)
