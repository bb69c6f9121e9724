"""E: a trunk, and a head that gives a distribution over z (section 3 and appendix)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.pixels import at_size
from components.bigbigan.residual_mlp import ResidualMLP

# sigma from what the last layer says: BigBiGAN's, ALI's (Dumoulin et al. 2017).
_SIGMA: dict[str, Callable[[Tensor], Tensor]] = {"softplus": F.softplus, "exp": torch.exp}


class Encoder(nn.Module):
    """Images, N×C×H×W in [-1, 1], and noise, N×Z from N(0, I) -> z, N×Z.

    z = mu + sigma · noise: the reparametrised sample of E(x).

    Args:
        trunk: images at `image_size` -> features, N×`feature_size`.
        image_size: E's resolution; larger images are averaged down to it.
        head_width, head_layers: of the residual MLP between the features and mu, sigma_hat; None and 0: they are linear
            in the features.
        sigma: softplus: sigma = softplus(sigma_hat); exp: sigma = exp(sigma_hat), ALI's; none: z = mu and the noise is
            not used (the ablation "Deterministic E", BiGAN).
        sigma_bias: initial bias of sigma_hat; below 0, E starts nearly deterministic.
        output: linear, for a prior without bounds; tanh: mu = tanh(h / 2) with h linear in the last layer, without bias
            and with weights from N(0, 0.02²), BiGAN's for the prior U(-1, 1) (Donahue et al. 2017).
    """

    def __init__(
        self,
        trunk: nn.Module,
        latent_size: int,
        image_size: int,
        head_width: int | None,
        head_layers: int,
        sigma: str,
        sigma_bias: float,
        output: str,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.trunk = trunk
        feature_size = int(trunk.feature_size)  # type: ignore[arg-type]
        self.head: nn.Module = nn.Identity()
        if head_width is not None:
            self.head = ResidualMLP(feature_size, head_width, head_layers, nn.Linear)
        last_size = head_width or feature_size
        self.bounded = output == "tanh"
        self.mu = nn.Linear(last_size, latent_size, bias=not self.bounded)
        self.sigma_hat = None if sigma == "none" else nn.Linear(last_size, latent_size)
        self.sigma = sigma
        for layer in (*self.head.modules(), self.mu, self.sigma_hat):
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        if self.bounded:
            nn.init.normal_(self.mu.weight, std=0.02)
        if self.sigma_hat is not None:
            nn.init.constant_(self.sigma_hat.bias, sigma_bias)

    def features(self, x: Tensor) -> Tensor:
        """AvePool, the representation that is evaluated (section 4.1): N×C×H×W -> N×F."""
        features: Tensor = self.trunk(at_size(x, self.image_size))
        return features

    def distribution(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of E(x), each N×Z, from `features`; sigma is 0 if E is deterministic."""
        last = self.head(features)
        mu = torch.tanh(self.mu(last) / 2.0) if self.bounded else self.mu(last)
        if self.sigma_hat is None:
            return mu, torch.zeros_like(mu)
        return mu, _SIGMA[self.sigma](self.sigma_hat(last))

    def mean(self, x: Tensor) -> Tensor:
        """The mean of E(x), without its noise: N×C×H×W -> N×Z."""
        mu, _ = self.distribution(self.features(x))
        return mu

    def location(self, x: Tensor) -> Tensor:
        """h of the mean tanh(h / 2), or the mean itself if it has no bounds: N×C×H×W -> N×Z."""
        location: Tensor = self.mu(self.head(self.features(x)))
        return location

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        mu, sigma = self.distribution(self.features(x))
        return mu + sigma * noise
