"""From stored bytes to what the networks see."""

import numpy as np
import torch
from torch import Tensor


def to_float(images: np.ndarray | Tensor) -> Tensor:
    """Turns uint8 N×H×W×C in [0, 255] into float32 N×C×H×W in [-1, 1]."""
    tensor = torch.as_tensor(images)
    return tensor.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
