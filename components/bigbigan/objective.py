"""The two losses of BigBiGAN, as pure functions of D's scores (section 2, equations 1 to 3).

Pairs from the data, (x, E(x)), carry y = +1; pairs from the generator, (G(z), z), carry y = -1. D is asked to
score the first high and the second low.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from components.bigbigan.discriminator import Scores


def discriminator_terms(data: Scores, generated: Scores) -> dict[str, Tensor]:
    """D's loss by term: h(y s) averaged over pairs, with the hinge h(t) = max(0, 1 - t) on each term by itself.

    One hinge over the sum of the terms would be another, less stable objective (section 2).
    """
    on_data, on_generated = data.terms(), generated.terms()
    return {name: F.relu(1.0 - on_data[name]).mean() + F.relu(1.0 + on_generated[name]).mean() for name in on_data}


def generator_encoder_terms(data: Scores, generated: Scores) -> dict[str, Tensor]:
    """The loss of E and G by term: y s averaged over pairs, without a hinge.

    E lowers D's scores of data pairs, G raises those of generated pairs.
    """
    on_data, on_generated = data.terms(), generated.terms()
    return {name: on_data[name].mean() - on_generated[name].mean() for name in on_data}


def total(terms: dict[str, Tensor]) -> Tensor:
    """The loss: the sum of its terms."""
    return torch.stack(list(terms.values())).sum()
