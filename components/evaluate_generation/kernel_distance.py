"""Kernel distance between two sets of features (Bińkowski et al. 2018, section 3; KID where they are Inception's).

The squared maximum mean discrepancy with the kernel k(x, y) = (x·y / D + 1)³, estimated without bias (Gretton et al.
2012, equation 3), so that it may fall below 0 and does not depend on how many images there are. It is taken over random
subsets, as in the authors' code; its spread over them tells how certain one of them is, not their mean. In float64.
"""

import numpy as np
import torch
from torch import Tensor


def kernel_distances(first: Tensor, second: Tensor, subsets: int, size: int, seed: int) -> Tensor:
    """The distance of `subsets` pairs of subsets of `size` images, drawn without repetition from N×D and M×D.

    N and M must be `size` or more. Returns as many numbers, float64.
    """
    rng = np.random.default_rng(seed)
    return torch.stack([_distance(_drawn(first, size, rng), _drawn(second, size, rng)) for _ in range(subsets)]).cpu()


def _drawn(features: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    rows = torch.from_numpy(rng.choice(len(features), size, replace=False))
    return features[rows.to(features.device)].double()


def _distance(first: Tensor, second: Tensor) -> Tensor:
    return _mean_of_pairs(first) + _mean_of_pairs(second) - 2 * _kernel(first, second).mean()


def _mean_of_pairs(features: Tensor) -> Tensor:
    """The mean kernel of two different images."""
    kernel = _kernel(features, features)
    count = len(features)
    return (kernel.sum() - kernel.trace()) / (count * (count - 1))


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    return (first @ second.T / first.shape[1] + 1).pow(3)
