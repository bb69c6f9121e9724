"""The two losses of BigBiGAN, as pure functions of D's scores (section 2, equations 1 to 3).

Pairs from the data, (x, E(x)), carry y = +1; pairs from the generator, (G(z), z), carry y = -1. D is asked to
score the first high and the second low.
"""

import torch.nn.functional as F
from torch import Tensor

from components.bigbigan.discriminator import Scores

TERMS = Scores._fields


def discriminator_terms(data: Scores, generated: Scores) -> dict[str, Tensor]:
    """D's loss by term: h(y s) averaged over pairs, with the hinge h(t) = max(0, 1 - t) on each term by itself.

    One hinge over the sum of the terms would be another, less stable objective (section 2).
    """
    return {
        name: F.relu(1.0 - on_data).mean() + F.relu(1.0 + on_generated).mean()
        for name, on_data, on_generated in zip(TERMS, data, generated, strict=True)
        if on_data is not None
    }


def generator_encoder_terms(data: Scores, generated: Scores) -> dict[str, Tensor]:
    """The loss of E and G by term: y s averaged over pairs, without a hinge.

    E lowers D's scores of data pairs, G raises those of generated pairs.
    """
    return {
        name: on_data.mean() - on_generated.mean()
        for name, on_data, on_generated in zip(TERMS, data, generated, strict=True)
        if on_data is not None
    }


def total(terms: dict[str, Tensor]) -> Tensor:
    """The loss: the sum of its terms."""
    first, *others = terms.values()
    for term in others:
        first = first + term
    return first
