"""RevNet-50: activations are not stored for the backward pass but computed back from outputs (Gomez et al. 2017).

The network is the one of Kolesnikov et al. 2019, "Revisiting self-supervised visual representation learning", as
their public code has it: each unit changes one half of the channels and swaps the halves, stages are joined by average
pooling and zero channels, and the last batch normalisation has no ReLU after it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call

from components.bigbigan.batch_norm import BatchNorm2d
from components.bigbigan.recompute import Block

_UNITS = (3, 4, 6, 3)  # of each stage
# The stem's activations are four times as large as what it hands on, and it sees each image by itself: it runs, and in
# the backward pass runs again, on an eighth of the batch at a time.
_STEM_PARTS = 8


class RevNet(nn.Module):
    """Images, N×C×H×W in [-1, 1], of any size -> AvePool features, N×(2048·width).

    Between the passes it holds the images and each stage's output. Train or eval mode must be the same in both.

    Args:
        width: factor of every layer's channels (Kolesnikov et al. 2019, section 3.1).
    """

    def __init__(self, image_channels: int, image_size: int, width: int) -> None:
        super().__init__()
        channels = 256 * width
        self.feature_size = 8 * channels
        self.stem = Stem(image_channels, channels)
        self.stages = nn.ModuleList(
            ReversibleStage(channels // 2 * 2**i, units, zeros=0 if i == 0 else channels // 4 * 2**i)
            for i, units in enumerate(_UNITS)
        )
        self.norm = BatchNorm2d(self.feature_size)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.stem(part) for part in x.chunk(_STEM_PARTS)])
        # Sums of bfloat16 could not be undone: they have lost what was added.
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        a, b = x.chunk(2, dim=1)
        for i, stage in enumerate(self.stages):
            if i > 0:
                a, b = (F.avg_pool2d(half, 2, ceil_mode=True) for half in (a, b))
            a, b = stage(a, b)
        return self.norm(torch.cat([a, b], dim=1)).mean(dim=(2, 3))


class Stem(Block):
    """Images, N×C×H×W -> N×C'×H/4×W/4, rounded up."""

    recompute = True

    def __init__(self, image_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(image_channels, channels, 7, stride=2, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(self.conv(x), kernel_size=3, stride=2, padding=1)


def bottleneck(channels: int) -> nn.Sequential:
    """The residual of a unit: a pre-activation bottleneck without its shortcut, N×C×H×W -> N×C×H×W."""
    inner = channels // 4
    return nn.Sequential(
        BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, inner, 1, bias=False),
        BatchNorm2d(inner),
        nn.ReLU(),
        nn.Conv2d(inner, inner, 3, padding=1, bias=False),
        BatchNorm2d(inner),
        nn.ReLU(),
        nn.Conv2d(inner, channels, 1, bias=False),
    )


class ReversibleStage(nn.Module):
    """Units of the same shape; each turns (a, b), the halves of the channels, into (b, a + residual(b)).

    Two tensors, N×(C - zeros)×H×W each -> two of N×C×H×W. The new channels are 0: a's come first, b's last.
    """

    def __init__(self, channels: int, units: int, zeros: int) -> None:
        super().__init__()
        self.zeros = zeros
        self.residuals = nn.ModuleList(bottleneck(channels) for _ in range(units))

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return _Reversible.apply(self.residuals, self.zeros, a, b, *self.residuals.parameters())


class _Reversible(torch.autograd.Function):
    """A stage that keeps its outputs alone: (b, c) came from (a, b) = (c - residual(b), b)."""

    @staticmethod
    def forward(
        ctx: Any, residuals: nn.ModuleList, zeros: int, a: Tensor, b: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.residuals, ctx.zeros, ctx.autocast = residuals, zeros, _autocast_as_now(a.device.type)
        a, b = _zeros_before(a, zeros), _zeros_after(b, zeros)
        with ctx.autocast():
            for residual in residuals:
                a, b = b, a + residual(b)
        # The parameters cost nothing here; autograd then refuses a backward pass after they were changed.
        ctx.save_for_backward(a, b, *parameters)
        return a, b

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_b: Tensor, to_c: Tensor) -> tuple[Tensor | None, ...]:
        # The parameters' gradients are returned, not accumulated by a backward pass in here: autograd then adds up
        # those of all uses and accumulates once, which is when DistributedDataParallel's hooks expect to run.
        b, c, *parameters = ctx.saved_tensors
        needed = ctx.needs_input_grad[4:]
        per_residual = len(parameters) // len(ctx.residuals)
        to_parameters: list[Tensor | None] = []
        for i in reversed(range(len(ctx.residuals))):
            if i == 0 and ctx.zeros:
                # Exactly 0, not c - residual(b): beside 0, the ReLU behind them has another gradient than at 0.
                b = _zeros_after(b[:, : -ctx.zeros], ctx.zeros)
            own = slice(i * per_residual, (i + 1) * per_residual)
            with ctx.autocast():
                x, copies, value = _recorded(ctx.residuals[i], parameters[own], needed[own], b, c.dtype)
            # In the memory of the value, which its own gradients do not need.
            b, c = torch.sub(c, value.detach(), out=value.detach()), b
            wanted = [copy for copy in copies if copy.requires_grad]
            to_x, *to_wanted = torch.autograd.grad(value, [x, *wanted], to_c)
            to_b, to_c = to_c, to_b + to_x
            del to_x  # else the next unit would find it in memory
            to_parameters[:0] = [to_wanted.pop(0) if copy.requires_grad else None for copy in copies]
        return None, None, to_b[:, ctx.zeros :], to_c[:, : to_c.shape[1] - ctx.zeros], *to_parameters


def _recorded(
    residual: nn.Module, parameters: list[Tensor], needed: list[bool], x: Tensor, dtype: torch.dtype
) -> tuple[Tensor, list[Tensor], Tensor]:
    """x and the parameters as leaves of a graph, and residual(x) at its end."""
    # Leaves of their own, which share the data: hooks on the parameters run once, on what autograd adds up.
    copies = [parameter.detach().requires_grad_(need) for parameter, need in zip(parameters, needed, strict=True)]
    names = [name for name, _ in residual.named_parameters()]
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return x, copies, functional_call(residual, dict(zip(names, copies, strict=True)), (x,)).to(dtype)


def _zeros_before(x: Tensor, channels: int) -> Tensor:
    return F.pad(x, (0, 0, 0, 0, channels, 0))


def _zeros_after(x: Tensor, channels: int) -> Tensor:
    return F.pad(x, (0, 0, 0, 0, 0, channels))


def _autocast_as_now(device_type: str) -> Callable[[], AbstractContextManager[Any]]:
    """Makes contexts with the precision that is set now."""
    if not torch.amp.is_autocast_available(device_type):
        return nullcontext
    return partial(
        torch.autocast,
        device_type,
        dtype=torch.get_autocast_dtype(device_type),
        enabled=torch.is_autocast_enabled(device_type),
        # A weight is cast once in each pass: a cache would only hold the casts for longer.
        cache_enabled=False,
    )
