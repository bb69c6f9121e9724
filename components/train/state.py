"""All that training carries from one step to the next."""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from components.artifacts.parameters import Train
from components.bigbigan.build import Networks


@dataclass
class State:
    """Networks, the averaged weights of G and E, both optimisers, and the number of finished steps."""

    networks: Networks
    averaged: nn.ModuleDict
    generator_encoder_optimiser: torch.optim.Adam
    discriminator_optimiser: torch.optim.Adam
    step: int


def new_state(networks: Networks, train: Train) -> State:
    """The state before the first step."""
    networks = networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = nn.ModuleDict({"generator": networks.generator, "encoder": networks.encoder})
    averaged = copy.deepcopy(averaged).requires_grad_(False).eval()

    def adam(*learning: tuple[nn.Module, float]) -> torch.optim.Adam:
        groups = [{"params": list(module.parameters()), "lr_ratio": ratio} for module, ratio in learning]
        return torch.optim.Adam(groups, betas=(train.beta1, train.beta2), eps=train.eps, fused=True)

    return State(
        networks,
        averaged,
        adam((networks.generator, train.generator_lr_ratio), (networks.encoder, train.encoder_lr_ratio)),
        adam((networks.discriminator, 1.0)),
        step=0,
    )


@torch.no_grad()
def average(state: State, decay: float) -> None:
    """averaged = decay · averaged + (1 - decay) · weights, for G and E."""
    for name, averaged in state.averaged.items():
        weights = getattr(state.networks, name)
        torch._foreach_lerp_(list(averaged.parameters()), list(weights.parameters()), 1.0 - decay)
