"""What a step of training costs: measured by running its phases, forward and backward."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from components.artifacts.parameters import Recipe
from components.bigbigan.build import Networks
from components.bigbigan.pixels import to_float
from components.bigbigan.recompute import recompute_blocks
from components.train.describe.meter import Meter
from components.train.draws import step_draws
from components.train.loss import DiscriminatorLoss, GeneratorEncoderLoss

_MOMENTS = 2  # Adam's, of each weight


@dataclass(frozen=True)
class Phase:
    """One phase of a step.

    flops_per_image: of an image of the batch and what is generated beside it, forward and backward.
    flops_per_step: of all images and processes, as often as the phase comes in a step.
    kept_bytes: what the forward pass leaves for the backward pass in one process: inputs, activations, normalised
        weights.
    peak_bytes: the most that exists at once of those and of their gradients.
    """

    name: str
    times_per_step: int
    flops_per_image: int
    flops_per_step: int
    kept_bytes: int
    peak_bytes: int


@dataclass(frozen=True)
class Memory:
    """Bytes in one process, and their sum. Buffers count as weights; activations are the largest `peak_bytes`.

    All gradients are counted as if they were always there, as they are with several processes or accumulation steps.
    """

    weights: int
    gradients: int
    moments: int
    averaged_weights: int
    activations: int
    total: int


@dataclass(frozen=True)
class Cost:
    processes: int
    images_at_a_time: int
    phases: list[Phase]
    flops_per_step: int
    flops_per_image: int
    memory: Memory


def measure(networks: Networks, recipe: Recipe, processes: int) -> Cost:
    """Runs D's phase, and that of G and E, with as many images as one process takes at a time.

    Args:
        networks: new ones; they are left with gradients, and with `train.recompute_activations` carried out.
        processes: among which the batch is shared.
    """
    train = recipe.train
    if train.recompute_activations:
        recompute_blocks(networks)
    # A process among many may have a single image; alone it cannot normalise one.
    share = max(2, train.batch_size // processes)
    part = max(2, share // train.accumulation_steps)

    def phase(name: str, times: int, loss: nn.Module, *learning: nn.Module | None) -> Phase:
        networks.requires_grad_(False)
        for module in learning:
            for weight in module.parameters() if module is not None else ():
                weight.requires_grad_(True).grad = torch.zeros_like(weight)
        flops, kept, peak = _run(loss, recipe, share, part)
        per_image = flops // part
        return Phase(name, times, per_image, times * train.batch_size * per_image, kept, peak)

    arguments = networks, recipe.objective, recipe.augmentation.generated, train.precision
    phases = [phase("G, E", 1, GeneratorEncoderLoss(*arguments), networks.generator, networks.encoder)]
    if networks.discriminator is not None:
        steps, loss = train.discriminator_steps, DiscriminatorLoss(*arguments)
        phases.insert(0, phase("D", steps, loss, networks.discriminator))
    flops = sum(phase.flops_per_step for phase in phases)
    activations = max(phase.peak_bytes for phase in phases)
    return Cost(processes, part, phases, flops, flops // train.batch_size, _memory(networks, activations))


def _run(loss: nn.Module, recipe: Recipe, share: int, part: int) -> tuple[int, int, int]:
    """FLOPs, and the bytes that exist after the forward pass and at the peak, of `part` out of `share` images."""
    image = recipe.image
    gradients = (weight.grad for weight in loss.parameters() if weight.grad is not None)
    with Meter([*_weights(loss), *gradients]) as meter:
        images = to_float(torch.zeros(share, image.size, image.size, image.channels, dtype=torch.uint8))
        draws = step_draws(recipe, step=0, turn=0)
        value, _ = loss(images[:part], draws[:part])
        kept = meter.now
        value.backward()
    return meter.flops, kept, meter.peak


def _memory(networks: Networks, activations: int) -> Memory:
    parameters = sum(weight.nbytes for weight in networks.parameters())
    weights = sum(weight.nbytes for weight in _weights(networks))
    averaged = sum(weight.nbytes for network in (networks.generator, networks.encoder) for weight in _weights(network))
    moments = _MOMENTS * parameters
    total = weights + parameters + moments + averaged + activations
    return Memory(weights, parameters, moments, averaged, activations, total)


def _weights(network: nn.Module | None) -> Iterator[Tensor]:
    """With buffers."""
    if network is not None:
        yield from network.parameters()
        yield from network.buffers()
