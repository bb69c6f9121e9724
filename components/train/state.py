"""All that training carries from one step to the next."""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from components.artifacts.parameters import Train
from components.bigbigan.build import Networks
from components.bigbigan.recompute import recompute_blocks
from components.train.precision import gradient_scaler


@dataclass
class State:
    """Networks, the averaged weights of G and E, an optimiser and a gradient scaler per phase, and finished steps."""

    networks: Networks
    averaged: nn.ModuleDict
    optimisers: dict[str, torch.optim.Adam]
    scalers: dict[str, torch.amp.GradScaler]
    step: int


def new_state(networks: Networks, train: Train, device: torch.device) -> State:
    """The state before the first step."""
    networks = networks.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = nn.ModuleDict({"generator": copy.deepcopy(networks.generator)})
    if networks.encoder is not None:
        averaged["encoder"] = copy.deepcopy(networks.encoder)
    if train.recompute_activations:
        recompute_blocks(networks)

    def adam(*learning: tuple[nn.Module | None, float]) -> torch.optim.Adam:
        groups = [
            {"params": list(module.parameters()), "lr_ratio": ratio} for module, ratio in learning if module is not None
        ]
        return torch.optim.Adam(
            groups, betas=(train.beta1, train.beta2), eps=train.eps, weight_decay=train.weight_decay, fused=True
        )

    optimisers = {
        "generator_encoder": adam(
            (networks.generator, train.generator_lr_ratio), (networks.encoder, train.encoder_lr_ratio)
        )
    }
    if networks.discriminator is not None:
        optimisers["discriminator"] = adam((networks.discriminator, 1.0))
    scalers = {name: gradient_scaler(train.precision, device) for name in optimisers}
    return State(networks, averaged.requires_grad_(False).eval(), optimisers, scalers, step=0)


@torch.no_grad()
def average(state: State, decay: float) -> None:
    """averaged = decay · averaged + (1 - decay) · weights, for G and E."""
    for name, averaged in state.averaged.items():
        weights = getattr(state.networks, name)
        torch._foreach_lerp_(list(averaged.parameters()), list(weights.parameters()), 1.0 - decay)
