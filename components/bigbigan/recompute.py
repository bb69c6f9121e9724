"""Activation checkpointing (Chen et al. 2016): memory for time, block by block."""

from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Block(nn.Module):
    """A module that, where `recompute` is set, keeps only its inputs and computes itself again in the backward pass.

    The second pass gives the same numbers: no forward pass here draws anything or changes a buffer.
    """

    recompute = False

    def __call__(self, *inputs: Any) -> Any:
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(super().__call__, *inputs, use_reentrant=False, preserve_rng_state=False)
        return super().__call__(*inputs)


def recompute_blocks(network: nn.Module) -> None:
    """Sets `recompute` on every block of `network`."""
    for module in network.modules():
        if isinstance(module, Block):
            module.recompute = True
