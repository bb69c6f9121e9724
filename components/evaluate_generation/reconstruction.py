"""How near G(E(x)) comes to x (Donahue & Simonyan 2019, appendix: errors relative to those of shuffled pairs).

BigBiGAN has no pixel loss: what is kept is what E finds worth saying, so the errors are high and their ratio to
those of pairs that do not belong together is what tells.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Errors:
    """Per pixel and channel, of images in [-1, 1], averaged over images: ℓ1 the mean absolute difference, ℓ2 the root
    of the mean squared one; and each of them relative to that of shuffled pairs (1: no nearer than another image's)."""

    l1: float
    l2: float
    relative_l1: float
    relative_l2: float


def reconstruction_errors(originals: Tensor, reconstructions: Tensor) -> Errors:
    """Compares N×C×H×W with N×C×H×W, both in [-1, 1], N at least 2, in random order.

    The shuffled pairs are x and the reconstruction of its neighbour in this order, so that none is a true pair.
    """
    l1, l2 = _errors(originals, reconstructions)
    shuffled_l1, shuffled_l2 = _errors(originals, reconstructions.roll(1, 0))
    return Errors(l1, l2, l1 / shuffled_l1, l2 / shuffled_l2)


def _errors(first: Tensor, second: Tensor) -> tuple[float, float]:
    difference = (first.double() - second.double()).flatten(1)
    return float(difference.abs().mean()), float(difference.square().mean(1).sqrt().mean())


def same_class(original_logits: Tensor, reconstruction_logits: Tensor) -> float:
    """The share of images N×K whose reconstruction the classifier gives to the same class as the image itself."""
    return float((original_logits.argmax(1) == reconstruction_logits.argmax(1)).double().mean())
