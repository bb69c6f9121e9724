"""The largest singular value of every layer's raw weight: an early sign of collapse in an adversarial game.

Spectral normalisation divides by it, so the weight itself may grow unseen. At ImageNet's size the first layers of G
grow slowly while all is well and explode when training collapses (Brock et al. 2019, section 4.1).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# From a random start that brings the value to within a few per cent; what is looked for is a doubling.
_POWER_ITERATIONS = 20


@torch.no_grad()
def singular_values(networks: nn.Module) -> dict[str, float]:
    """`sigma/<layer>` for every linear layer and convolution of G, E and D, the weight taken as a matrix.

    The matrix is that of spectral normalisation: the weight's first dimension by all the others.
    """
    layers = {
        name: layer.weight
        for name, layer in networks.named_modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
    }
    values = torch.stack([_largest(weight.flatten(1)) for weight in layers.values()]).tolist()
    return {f"sigma/{name}": value for name, value in zip(layers, values, strict=True)}


def _largest(matrix: Tensor) -> Tensor:
    """By power iteration, from the same start each time; never above the true value."""
    start = torch.randn(len(matrix), generator=torch.Generator().manual_seed(0), dtype=matrix.dtype)
    u = F.normalize(start.to(matrix.device), dim=0)
    for _ in range(_POWER_ITERATIONS):
        v = F.normalize(matrix.t() @ u, dim=0)
        u = F.normalize(matrix @ v, dim=0)
    return torch.dot(u, matrix @ v)
