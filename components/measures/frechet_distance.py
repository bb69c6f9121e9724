"""Fréchet distance between two sets of features, each taken as a Gaussian (Heusel et al. 2017, equation 6).

    d² = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)

In float64: in float32 the square root alone is wrong by half a per cent. The estimate is biased upwards, the more
so the fewer the images: compare distances at equal counts only.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from components.artifacts.errors import UserError

_BLOCKS = 8


@dataclass(frozen=True)
class Moments:
    """Mean, D, and covariance, D×D (divided by N - 1), in float64."""

    mean: Tensor
    covariance: Tensor

    def to(self, device: torch.device) -> "Moments":
        return Moments(self.mean.to(device), self.covariance.to(device))


def moments(features: Tensor) -> Moments:
    """Mean and covariance of features N×D.

    Raises:
        UserError: there are not more images than features, so that the covariance would be singular.
    """
    count, size = features.shape
    if count <= size:
        raise UserError(
            f"the Fréchet distance on {size} features needs more than {size} images, and there are {count}: "
            "raise evaluate_generation.samples, give more images, or lower feature_network.feature_size"
        )
    mean = features.mean(0, dtype=torch.float64)
    covariance = torch.zeros(size, size, dtype=torch.float64, device=features.device)
    for chunk in features.split(4096):
        centred = chunk.double() - mean
        covariance.addmm_(centred.T, centred)
    return Moments(mean, covariance / (count - 1))


def frechet_distance(first: Moments, second: Moments) -> float:
    """The squared distance d² above, as the literature reports it; 0 or more.

    The trace of (C₁ C₂)^½ is the sum of the square roots of the eigenvalues of RᵀC₂R, where C₁ = RRᵀ, which is
    symmetric: the same number as by a general matrix square root, faster and without complex rests.
    """
    eigenvalues = torch.linalg.eigvalsh(_symmetric_product(first.covariance, second.covariance)).clamp(min=0)
    between_means = (first.mean - second.mean).square().sum()
    between_shapes = first.covariance.trace() + second.covariance.trace() - 2 * eigenvalues.sqrt().sum()
    return max(0.0, float(between_means + between_shapes))


def _symmetric_product(first: Tensor, second: Tensor) -> Tensor:
    """RᵀC₂R with C₁ = RRᵀ, of which only the lower triangle counts, as `eigvalsh` reads it.

    R is Cholesky's factor, or, where dead features leave none, that of the eigenvectors, which costs far more.
    """
    factor, failed = torch.linalg.cholesky_ex(first)
    if failed:
        values, vectors = torch.linalg.eigh(first)
        root = vectors * values.clamp(min=0).sqrt()
        return root.T @ second @ root
    # In blocks, without those that are zeros of the factor or above the diagonal: half of the multiplications.
    half, product = torch.empty_like(first), torch.zeros_like(first)
    size = -(-len(first) // _BLOCKS)
    for start in range(0, len(first), size):
        half[start : start + size] = factor[start:, start : start + size].T @ second[start:]
    for start in range(0, len(first), size):
        product[start:, start : start + size] = half[start:, start:] @ factor[start:, start : start + size]
    return product
