"""E: a residual network, and a head that gives a distribution over z (section 3 and appendix)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.residual_mlp import ResidualMLP


class EncoderBlock(nn.Module):
    """A pre-activation residual block (He et al. 2016): N×C×H×W -> N×C'×H/stride×W/stride."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        changes = stride != 1 or in_channels != out_channels
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(x))
        shortcut = x if self.shortcut is None else self.shortcut(h)
        return shortcut + self.conv2(F.relu(self.norm2(self.conv1(h))))


class Encoder(nn.Module):
    """Images, N×C×H×W in [-1, 1], and noise, N×Z from N(0, I) -> z, N×Z.

    z = mu + sigma · noise, with sigma = softplus(sigma_hat): the reparametrised sample of E(x). With
    `stochastic` off, z = mu (the ablation "Deterministic E") and the noise is not used.

    Args:
        channels: of the stem, a convolution of stride 2.
        multipliers: of `channels`, one per block; every block but the first halves the resolution.
        head_layers: linear layers of the residual MLP between the pooled features and mu, sigma_hat.
        sigma_bias: initial bias of sigma_hat; below 0, E starts nearly deterministic.
    """

    def __init__(
        self,
        image_channels: int,
        latent_size: int,
        channels: int,
        multipliers: Sequence[int],
        stem_kernel: int,
        head_width: int,
        head_layers: int,
        stochastic: bool,
        sigma_bias: float,
    ) -> None:
        super().__init__()
        self.stochastic = stochastic
        widths = [channels, *(channels * multiplier for multiplier in multipliers)]
        self.stem = nn.Conv2d(image_channels, channels, stem_kernel, stride=2, padding=stem_kernel // 2, bias=False)
        self.blocks = nn.Sequential(
            *(EncoderBlock(widths[i], widths[i + 1], stride=1 if i == 0 else 2) for i in range(len(multipliers)))
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.head = ResidualMLP(widths[-1], head_width, head_layers, nn.Linear)
        self.mu = nn.Linear(head_width, latent_size)
        self.sigma_hat = nn.Linear(head_width, latent_size)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        nn.init.constant_(self.sigma_hat.bias, sigma_bias)

    def features(self, x: Tensor) -> Tensor:
        """AvePool, the representation that is evaluated (section 4.1): N×C×H×W -> N×F."""
        return F.relu(self.norm(self.blocks(self.stem(x)))).mean(dim=(2, 3))

    def distribution(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of E(x), each N×Z, from `features`; sigma is 0 if E is deterministic."""
        h = self.head(features)
        mu = self.mu(h)
        return mu, F.softplus(self.sigma_hat(h)) if self.stochastic else mu.new_zeros(mu.shape)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        mu, sigma = self.distribution(self.features(x))
        return mu + sigma * noise
