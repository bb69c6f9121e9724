"""Density and coverage of a generator (Naeem et al. 2020, section 3), both by neighbourhoods of real images alone.

Density: how many balls around real images a generated one lies in, divided by k. Unlike precision, a single real
outlier with its wide ball does not lift it; it is about 1 where both sets are alike, and may be more. Coverage: the
share of balls that hold a generated image. Unlike recall, generated outliers do not lift it.
"""

import torch
from torch import Tensor

from components.evaluate_generation.neighbourhoods import Neighbourhoods, inside


def density_coverage(generated: Tensor, real: Neighbourhoods, neighbours: int) -> tuple[float, float]:
    """Density (0 or more) and coverage (0 to 1) of generated features N×D.

    Args:
        neighbours: the k that `real` was made with.
    """
    hits = 0
    covered = torch.zeros(len(real.centres), dtype=torch.bool, device=real.centres.device)
    for rows in inside(generated, real):
        hits += int(rows.sum())
        covered |= rows.any(0)
    return hits / (neighbours * len(generated)), float(covered.double().mean())
