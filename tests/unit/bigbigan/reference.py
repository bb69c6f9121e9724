"""What blocks are made of, written out for the tests."""

from torch import Tensor


def normalised(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    """Batch normalisation of N×C×H×W by its own statistics, with the gain and bias of `name`, and ReLU."""
    x = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    return (x * weights[f"{name}.weight"][:, None, None] + weights[f"{name}.bias"][:, None, None]).clamp(min=0)
