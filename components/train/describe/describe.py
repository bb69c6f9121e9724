"""A configuration -> what would be trained, and at which cost, without computing a number.

Fake tensors have shapes, types and lifetimes but no values: networks that would fill a machine are built and run in
seconds, by the very code that trains them.
"""

from dataclasses import asdict, dataclass

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from components.artifacts.errors import UserError
from components.artifacts.parameters import Recipe
from components.bigbigan.build import Networks, build_networks
from components.train.describe.cost import Cost, measure
from components.train.describe.layers import Network, list_networks

# Images whose passes show the layers' shapes.
_FEW = 2


@dataclass(frozen=True)
class Description:
    networks: list[Network]
    parameters: int
    cost: Cost


def describe(recipe: Recipe, processes: int, depth: int) -> Description:
    """Builds the networks of fake tensors, lists their layers down to `depth`, and measures a step.

    Raises:
        UserError: the batch cannot be shared among so many processes.
    """
    train = recipe.train
    if train.batch_size % (processes * train.accumulation_steps):
        raise UserError(
            f"--processes is {processes}: train.batch_size, {train.batch_size}, must be a multiple of it times "
            f"train.accumulation_steps, {train.accumulation_steps}"
        )
    with FakeTensorMode():
        networks = _build(recipe)
        images = torch.empty(_FEW, recipe.image.channels, recipe.image.size, recipe.image.size)
        listed = list_networks(networks, images, torch.empty(_FEW, recipe.model.latent.size), depth)
        return Description(listed, sum(network.parameters for network in listed), measure(networks, recipe, processes))


def _build(recipe: Recipe) -> Networks:
    networks = build_networks(asdict(recipe), seed=0)
    # As in training, where it decides which views are copied. Fake parameters cannot go through `Module.to`.
    for weight in networks.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return networks
