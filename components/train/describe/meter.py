"""What passes through: floating-point operations, and the bytes of the tensors that exist at once."""

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import conv_flop_count, flop_registry
from torch.utils.weak import WeakIdKeyDictionary


class Meter(TorchDispatchMode):
    """Watches every operation within its context, those of the backward pass included, of real or fake tensors.

    What an operation needs while it runs (workspace) is not seen.

    Args:
        known: tensors that are there anyway: their memory is not counted.

    Attributes:
        flops: of matrix products, convolutions and attention; a multiply-add is two. The rest counts nothing.
        now: bytes of the tensors that were made here and still exist. Views share their memory.
        peak: the largest that `now` has been.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.flops = self.now = self.peak = 0
        # Weak: a storage that stayed alive for being counted would be counted for good.
        self._seen = WeakIdKeyDictionary(dict.fromkeys((tensor.untyped_storage() for tensor in known), True))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        operation = func._overloadpacket
        if operation is torch.ops.aten.convolution_backward:
            self.flops += _convolution_backward(*args)
        elif operation in flop_registry:
            self.flops += flop_registry[operation](*args, **(kwargs or {}), out_val=result)
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._seen:
            return
        self._seen[storage] = True
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._freed, storage.nbytes())

    def _freed(self, size: int) -> None:
        self.now -= size


def _convolution_backward(gradient: Tensor, x: Tensor, weight: Tensor, *how: Any) -> int:
    """Each gradient costs what the convolution did. (torch's own formula forgets the groups.)"""
    transposed, (to_x, to_weight, _) = how[4], how[-1]
    forward = conv_flop_count(list(x.shape), list(weight.shape), list(gradient.shape), transposed=transposed)
    return int(forward * (to_x + to_weight))
