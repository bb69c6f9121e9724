"""The residual MLP of the encoder's head and of the discriminator's H and J (section 3 and appendix)."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn


class ResidualMLP(nn.Module):
    """`layers` linear layers: the first sets the width, each further one adds linear(ReLU(h)) to h.

    N×`in_features` -> N×`width`, after a last ReLU.

    Args:
        linear: makes a layer of (in, out) features: spectrally normalised in the discriminator, plain in the encoder.
    """

    def __init__(self, in_features: int, width: int, layers: int, linear: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.first = linear(in_features, width)
        self.residual = nn.ModuleList(linear(width, width) for _ in range(layers - 1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for layer in self.residual:
            h = h + layer(F.relu(h))
        return F.relu(h)
