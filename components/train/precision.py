"""Number formats: what is computed in fewer bits, and what is not.

Weights, Adam's moments, spectral norms, batch statistics and losses are float32 whatever `train.precision` is. tf32
rounds the factors of matrix products and convolutions on CUDA; bf16 and fp16 compute them, and what lies between them,
in 16 bits (torch.autocast), and round as tf32 what stays in 32. fp16 has a small range: its gradients are scaled, and
a step whose gradients overflow is left out and tried again with a smaller scale.
"""

import torch
from torch import Tensor

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """The context of a forward pass."""
    return torch.autocast(device.type, dtype=_AUTOCAST.get(precision), enabled=precision in _AUTOCAST)


def widened(values: Tensor) -> Tensor:
    """16-bit numbers as float32, others as they are: what a loss is computed of."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def set_matmul_precision(precision: str) -> None:
    """Lets CUDA round float32 factors to tf32, or forbids it, for the whole process."""
    allowed = precision != "fp32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def gradient_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Scales the loss for fp16, and does nothing for the others."""
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")
