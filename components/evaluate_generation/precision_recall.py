"""Precision and recall of a generator (Kynkäänniemi et al. 2019, section 3).

Precision: the share of generated images in a neighbourhood of real ones (do they look real?). Recall: the share of real
images in a neighbourhood of generated ones (are all kinds generated?). Both depend on the number of images: use as many
on each side.
"""

from torch import Tensor

from components.evaluate_generation.neighbourhoods import Neighbourhoods, inside


def precision(generated: Tensor, real: Neighbourhoods) -> float:
    """The share of generated features, N×D, that lie in at least one ball around a real image."""
    return _share_inside(generated, real)


def recall(real: Tensor, generated: Neighbourhoods) -> float:
    """The share of real features, N×D, that lie in at least one ball around a generated image."""
    return _share_inside(real, generated)


def _share_inside(candidates: Tensor, balls: Neighbourhoods) -> float:
    return sum(int(rows.any(1).sum()) for rows in inside(candidates, balls)) / len(candidates)
