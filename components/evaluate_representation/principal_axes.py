"""The principal axes of features: where a preconditioner is diagonal, and where few images have few coordinates."""

from dataclasses import dataclass

import torch
from torch import Tensor

from components.evaluate_representation.rows import Rows

# Of the largest variance; what is below is rounding.
_SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True)
class PrincipalAxes:
    """Of N×F features: their mean F, orthonormal axes F×R, and the variance along each, R; float64."""

    mean: Tensor
    axes: Tensor
    variances: Tensor


def principal_axes(features: Rows) -> PrincipalAxes:
    """All axes along which the features vary. N images are never on more than N, and need no F×F matrix then.

    What does not fit into memory is read once, and has R = F.
    """
    if not features.fits:
        return _of_many(features)
    centred = features.all().double()
    mean = centred.mean(0)
    centred = centred - mean
    few = len(features) < features.width
    squares, vectors = torch.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    kept = squares > squares.amax().clamp_min(1e-300) * _SMALLEST_VARIANCE
    squares, vectors = squares[kept], vectors[:, kept]
    axes = centred.T @ (vectors / squares.sqrt()) if few else vectors
    return PrincipalAxes(mean, axes, squares / len(features))


def _of_many(features: Rows) -> PrincipalAxes:
    total = torch.zeros(features.width, dtype=torch.float64, device=features.device)
    products = total.new_zeros(features.width, features.width)
    for _, chunk in features.chunks():
        total += chunk.sum(0, dtype=torch.float64)
        products += chunk.T @ chunk
    mean = total / len(features)
    variances, axes = torch.linalg.eigh(products.div_(len(features)).addr_(mean, mean, alpha=-1))
    return PrincipalAxes(mean, axes, variances.clamp_min(0))
