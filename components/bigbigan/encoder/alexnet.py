"""Trunk of E: BiGAN's AlexNet (Krizhevsky et al. 2012; Donahue et al. 2017, section 4.3 and appendix)."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.batch_norm import BatchNorm2d
from components.bigbigan.bigan import BATCH_NORM_EPS, LEAK, WEIGHT_STD
from components.bigbigan.recompute import Block


class NormalisedConvolution(Block):
    """Convolution, batch normalisation, leaky ReLU: N×C×H×W -> N×C'×H×W."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm = BatchNorm2d(out_channels, eps=BATCH_NORM_EPS)

    def forward(self, h: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(h)), LEAK)


class AlexNet(nn.Module):
    """Images, N×C×H×W in [-1, 1] -> features, N×`feature_size`: the map of conv5, flattened.

    AlexNet's five convolutions with their groups, but conv1 and the poolings padded, so that the map is ⌈H/16⌉ high:
    4,096 features at 64 px, 12,544 at 112 px. Batch normalisation and leaky ReLU in place of local response
    normalisation, biases and ReLU; none after conv1. pool5, fc6 and fc7 do not exist, as in BiGAN's training: E's
    output is linear in these features. Weights start as N(0, 0.02²).

    Args:
        channels: of conv1; the others have 8/3, 4, 4 and 8/3 times as many. AlexNet and BiGAN: 96.

    Raises:
        ValueError: `channels` is not a multiple of 6.
    """

    def __init__(self, image_channels: int, image_size: int, channels: int) -> None:
        super().__init__()
        if channels % 6:
            raise ValueError(f'channels of the trunk "alexnet": {channels}; must be a multiple of 6')
        outer, inner = channels // 3 * 8, channels * 4
        self.feature_size = outer * math.ceil(image_size / 16) ** 2
        self.conv1 = nn.Conv2d(image_channels, channels, 11, stride=4, padding=5, bias=False)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = NormalisedConvolution(channels, outer, 5, groups=2)
        self.conv3 = NormalisedConvolution(outer, inner, 3, groups=1)
        self.conv4 = NormalisedConvolution(inner, inner, 3, groups=2)
        self.conv5 = NormalisedConvolution(inner, outer, 3, groups=2)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=WEIGHT_STD)

    def forward(self, x: Tensor) -> Tensor:
        h = self.pool(F.leaky_relu(self.conv1(x), LEAK))
        h = self.pool(self.conv2(h))
        return self.conv5(self.conv4(self.conv3(h))).flatten(1)
