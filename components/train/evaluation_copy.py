"""The networks as they are evaluated: averaged weights, exact spectral norms, standing statistics."""

import copy

import torch

from components.artifacts.dataset import Split
from components.artifacts.parameters import Latent
from components.bigbigan.build import Networks
from components.bigbigan.pixels import to_float
from components.bigbigan.spectral_norm import power_iteration
from components.bigbigan.standing_statistics import recompute
from components.train.draws import image_indices, standing_latents

# u and v follow the weights in training; the averaged weights need some steps of their own to settle.
_POWER_ITERATIONS = 20


def evaluation_copy(
    state_networks: Networks,
    averaged: torch.nn.ModuleDict,
    images: Split,
    latent: Latent,
    seed: int,
    batches: int,
    batch_size: int,
) -> Networks:
    """Copies G and E from `averaged` and D from `state_networks`, in eval mode; training goes on untouched.

    Args:
        images: the train split; `batches` batches of it, in the order of the first epochs, give E its statistics.
        seed: of that order and of the latents that give G its statistics.
    """
    networks = Networks(
        copy.deepcopy(averaged["generator"]),  # type: ignore[arg-type]
        copy.deepcopy(averaged["encoder"]),  # type: ignore[arg-type]
        copy.deepcopy(state_networks.discriminator),
    ).requires_grad_(False)
    power_iteration(networks, _POWER_ITERATIONS)
    recompute(networks.generator, ((standing_latents(seed, batch, batch_size, latent),) for batch in range(batches)))
    no_noise = torch.zeros(batch_size, latent.size)
    orders = (image_indices(seed, len(images), batch * batch_size, batch_size) for batch in range(batches))
    recompute(networks.encoder, ((to_float(images.images(order)), no_noise) for order in orders))
    return networks.eval()
