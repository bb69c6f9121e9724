"""From stored bytes to what the networks see."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def to_float(images: np.ndarray | Tensor) -> Tensor:
    """Turns uint8 N×H×W×C in [0, 255] into float32 N×C×H×W in [-1, 1]."""
    tensor = torch.as_tensor(images)
    return tensor.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def at_size(images: Tensor, size: int) -> Tensor:
    """N×C×H×H -> N×C×`size`×`size`, each pixel the mean of a square of them (appendix: D sees E's input averaged 2×2).

    Raises:
        ValueError: H is not a multiple of `size`.
    """
    height = images.shape[-1]
    if height % size:
        raise ValueError(f"images of {height} px cannot be averaged to {size} px: {height} is not a multiple of {size}")
    return images if height == size else F.avg_pool2d(images, height // size)
