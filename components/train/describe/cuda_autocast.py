"""The accelerator's choice of number formats, on the CPU's tensors."""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class CUDAAutocast(TorchFunctionMode):
    """Within torch.autocast of the CPU, softmax gives float32, as it does on CUDA.

    There it is the one operation of large results that the two disagree about: the weights of self-attention.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.softmax and torch.is_autocast_enabled("cpu"):
            args = (args[0].float(), *args[1:])
        return func(*args, **(kwargs or {}))
