"""How near G(E(x)) comes to x (Donahue & Simonyan 2019, appendix: errors relative to those of shuffled pairs).

BigBiGAN has no pixel loss: what is kept is what E finds worth saying, so the errors are high and their ratio to
those of pairs that do not belong together is what tells.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Errors:
    """Per pixel and channel, of images in [-1, 1], averaged over images: ℓ1 the mean absolute difference, ℓ2 the root
    of the mean squared one; and each of them relative to that of shuffled pairs (1: no nearer than another image's)."""

    l1: float
    l2: float
    relative_l1: float
    relative_l2: float


def error_sums(originals: Tensor, reconstructions: Tensor, shuffled: Tensor) -> Tensor:
    """Sums over N images: of ℓ1 and ℓ2 to the own reconstruction, then to another image's. Four numbers, float64.

    All are N×C×H×W in [-1, 1]. The shuffled pairs are x and the reconstruction of the image before it in a random
    order (of the last, for the first), so that none is a true pair. What parts of the images give is added.
    """
    return torch.cat([_sums(originals, reconstructions), _sums(originals, shuffled)])


def reconstruction_errors(sums: Tensor, images: int) -> Errors:
    """Of what `error_sums` gives for all images, two or more."""
    l1, l2, shuffled_l1, shuffled_l2 = (float(value) / images for value in sums)
    return Errors(l1, l2, l1 / shuffled_l1, l2 / shuffled_l2)


def _sums(first: Tensor, second: Tensor) -> Tensor:
    difference = (first.double() - second.double()).flatten(1)
    return torch.stack([difference.abs().mean(1).sum(), difference.square().mean(1).sqrt().sum()])


def same_class(original_logits: Tensor, reconstruction_logits: Tensor) -> Tensor:
    """Which of N images have a reconstruction that the classifier gives to the same class: N×K, N×K -> N, bool."""
    return original_logits.argmax(1) == reconstruction_logits.argmax(1)
