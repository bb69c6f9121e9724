"""The losses, as pure functions of D's scores and of what E and G say of each other.

Pairs from the data, (x, E(x)), carry y = +1; pairs from the generator, (G(z), z), carry y = -1. D is asked to score
the first high and the second low, E and G the opposite. `adversarial` is one of

    hinge          BigBiGAN's: each score hinged by itself for D, not hinged for E and G (section 2, equations 1 to 3)
    hinge_of_sum   one hinge over the sum of the scores, which the paper found unstable (section 2)
    softplus       BiGAN's and ALI's: -log of D's probability of being right for D, of being wrong for E and G
                   (Donahue et al. 2017, section 3.4; Dumoulin et al. 2017, section 2.1)
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from components.bigbigan.discriminator.scores import Scores


def discriminator_terms(data: Scores, generated: Scores, adversarial: str) -> dict[str, Tensor]:
    """D's loss by term (section 2, equation 3): the mean over pairs of h(y s), for each score s.

    h(t) = max(0, 1 - t), the hinge, or h(t) = log(1 + exp(-t)) = -log sigmoid(t) for softplus.

    Raises:
        ValueError: another `adversarial`.
    """
    _refuse_unknown(adversarial)
    h = _softplus if adversarial == "softplus" else _hinge
    on_data, on_generated = data.terms(), generated.terms()
    if adversarial == "hinge_of_sum":
        on_data, on_generated = {"sum": _sum(on_data)}, {"sum": _sum(on_generated)}
    return {name: h(on_data[name]).mean() + h(-on_generated[name]).mean() for name in on_data}


def generator_encoder_terms(data: Scores, generated: Scores, adversarial: str) -> dict[str, Tensor]:
    """The loss of E and G by term (section 2, equation 2): the mean over pairs of y s, for each score s.

    E lowers D's scores of data pairs, G raises those of generated pairs. No hinge: beyond the margin, where D learns no
    more, E and G still do. For softplus it is h(-y s): BiGAN's inverse objective, whose gradient does not vanish where
    D is sure.

    Raises:
        ValueError: another `adversarial`.
    """
    _refuse_unknown(adversarial)
    on_data, on_generated = data.terms(), generated.terms()
    if adversarial == "softplus":
        return {name: _softplus(-on_data[name]).mean() + _softplus(on_generated[name]).mean() for name in on_data}
    return {name: on_data[name].mean() - on_generated[name].mean() for name in on_data}


def latent_regression(z: Tensor, location: Tensor, bounded: bool) -> Tensor:
    """How far E is from finding z, N×Z, in G(z): the latent regressor's loss (Donahue et al. 2017, section 4.1).

    The mean over pairs and dimensions. Where z and E's mean tanh(h / 2) lie in (-1, 1), it is the cross-entropy of
    (1 + z) / 2 and (1 + tanh(h / 2)) / 2 = sigmoid(h), as in BiGAN's public code; else the squared error.

    Args:
        location: what `Encoder.location` says of G(z): h if `bounded`, else the mean.
    """
    if bounded:
        return F.binary_cross_entropy_with_logits(location, (1.0 + z) / 2.0)
    return F.mse_loss(location, z)


def reconstruction_l1(x: Tensor, reconstructed: Tensor) -> Tensor:
    """An autoencoder's loss |x - G(E(x))|, the mean over pixels of N×C×H×W (Donahue et al. 2017, section 4.1)."""
    return F.l1_loss(reconstructed, x)


def reconstruction_l2(x: Tensor, reconstructed: Tensor) -> Tensor:
    """An autoencoder's loss (x - G(E(x)))², the mean over pixels of N×C×H×W (Donahue et al. 2017, section 4.1)."""
    return F.mse_loss(reconstructed, x)


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """x itself, through which `factor` times the gradient flows back: 0 cuts it."""
    constant = x.detach()
    # What is added is exactly 0.
    return constant + (x - constant) * factor if factor else constant


def total(terms: dict[str, Tensor], average: bool) -> Tensor:
    """The loss: the sum of its terms, or their mean, as in the official notebook."""
    stacked = torch.stack(list(terms.values()))
    return stacked.mean() if average else stacked.sum()


def _refuse_unknown(adversarial: str) -> None:
    if adversarial not in ("hinge", "hinge_of_sum", "softplus"):
        raise ValueError(f"unknown adversarial loss {adversarial!r}: hinge, hinge_of_sum and softplus are known")


def _hinge(t: Tensor) -> Tensor:
    return F.relu(1.0 - t)


def _softplus(t: Tensor) -> Tensor:
    return F.softplus(-t)


def _sum(terms: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(terms.values())).sum(dim=0)
