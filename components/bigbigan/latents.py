"""The prior P(z)."""

from collections.abc import Sequence

import torch
from torch import Tensor


def draw(distribution: str, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draws latents from the prior.

    Args:
        distribution: "normal", N(0, I) (section 3), or "uniform", U(-1, 1), as in the ablation "Uniform P(z)".
        shape: usually N×Z.
        generator: the only source of randomness; its device is where the result lies.

    Raises:
        ValueError: another distribution.
    """
    if distribution == "normal":
        return torch.randn(*shape, generator=generator, device=generator.device)
    if distribution == "uniform":
        return torch.rand(*shape, generator=generator, device=generator.device) * 2.0 - 1.0
    raise ValueError(f"unknown latent distribution {distribution!r}: normal and uniform are known")
