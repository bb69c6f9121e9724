"""One phase of a step: D learns from a batch, or E and G do (section 3 and appendix)."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from components.artifacts.errors import UserError
from components.artifacts.parameters import Recipe
from components.artifacts.ranks import Ranks
from components.bigbigan.build import Networks
from components.bigbigan.spectral_norm import power_iteration
from components.train.draws import Draws
from components.train.loss import DiscriminatorLoss, GeneratorEncoderLoss
from components.train.state import State


@dataclass(frozen=True)
class Phase:
    """Who learns, by which loss: gradients reach the parameters of `learning` and no others."""

    name: str
    learning: tuple[nn.Module, ...]
    loss: Callable[[Tensor, Draws], tuple[Tensor, dict[str, Tensor]]]
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler


def phases(state: State, recipe: Recipe, ranks: Ranks) -> Sequence[tuple[Phase, ...]]:
    """The turns of a step in their order; the phases of one turn learn at once, from one batch.

    D `train.discriminator_steps` times, then G and E together; or, simultaneously, all at once. Without D, G and E
    alone.
    """
    networks = state.networks
    arguments = networks, recipe.objective, recipe.augmentation.generated, recipe.train.precision

    def phase(name: str, learning: tuple[nn.Module, ...], loss: nn.Module, optimiser: torch.optim.Optimizer) -> Phase:
        _let_learn(networks, learning)
        if ranks.count > 1:
            # It takes the parameters that now require gradients for its own. Looking for unused ones, of which there
            # are none, keeps its buckets as they are. Rearranged after its first pass, as they are otherwise, three
            # ranks or more would add up in another order before and after, and a resumed run end with other bits.
            warnings.filterwarnings("ignore", message="find_unused_parameters=True was specified")
            loss = DistributedDataParallel(
                loss, forward_sync_buffers=False, gradient_as_bucket_view=True, find_unused_parameters=True
            )
        return Phase(name, learning, loss, optimiser, state.scalers[name])

    learning = tuple(network for network in (networks.generator, networks.encoder) if network is not None)
    generator_encoder = phase(
        "generator_encoder", learning, GeneratorEncoderLoss(*arguments), state.optimisers["generator_encoder"]
    )
    if networks.discriminator is None:
        return [(generator_encoder,)]
    discriminator = phase(
        "discriminator", (networks.discriminator,), DiscriminatorLoss(*arguments), state.optimisers["discriminator"]
    )
    if recipe.train.simultaneous:
        return [(discriminator, generator_encoder)]
    return [(discriminator,)] * recipe.train.discriminator_steps + [(generator_encoder,)]


def backward(
    phase: Phase, networks: Networks, images: Tensor, draws: Draws, parts: int, ranks: Ranks, step: int
) -> dict[str, Tensor]:
    """Leaves the gradient of the global batch's loss in the parameters of `phase.learning`.

    Spectral norm's vectors move on by one iteration, however many parts and ranks there are. Batch normalisation sees
    one part at a time, of all ranks: with several parts its statistics are those of fewer images.

    Args:
        images: this rank's real images, float N×C×H×W in [-1, 1]; `draws` are theirs.
        parts: micro-batches that N is taken in, one after the other.
        step: for the message of an error.

    Returns:
        Numbers to log: the loss by term, D's mean scores and accuracies, the gradient's norm.

    Raises:
        UserError: a term of the loss, or the gradient, is not finite on some rank.
    """
    _let_learn(networks, phase.learning)
    for module in phase.learning:
        power_iteration(module)
    phase.optimiser.zero_grad(set_to_none=True)

    size = len(images) // parts
    collected: dict[str, list[Tensor]] = {}
    for part in range(parts):
        rows = slice(part * size, (part + 1) * size)
        with _gradients_stay_here(phase.loss) if part < parts - 1 else nullcontext():
            loss, numbers = phase.loss(images[rows], draws[rows])
            phase.scaler.scale(loss / parts).backward()
        for name, value in numbers.items():
            collected.setdefault(name, []).append(value)

    means = torch.stack([torch.stack(values).mean() for values in collected.values()])
    averaged = dict(zip(collected, ranks.mean(means), strict=True))
    norm = _gradient_norm(phase)
    numbers = {f"{phase.name}/{name}": value for name, value in (averaged | {"gradient_norm": norm}).items()}
    # A gradient that overflows fp16 is the scaler's to handle; a loss that does is not.
    doubtful = {name: value for name, value in numbers.items() if not (phase.scaler.is_enabled() and value is norm)}
    _refuse_not_finite(doubtful, step)
    return numbers


def apply(phase: Phase, lr: float) -> None:
    """Takes one step of the optimiser.

    Args:
        lr: the rate before each parameter group's own ratio.
    """
    for group in phase.optimiser.param_groups:
        group["lr"] = lr * group["lr_ratio"]
    phase.scaler.step(phase.optimiser)
    phase.scaler.update()


def _gradient_norm(phase: Phase) -> Tensor:
    """The norm of the gradient over all parameters that learn, unscaled."""
    phase.scaler.unscale_(phase.optimiser)  # does nothing where it is not enabled
    gradients = [p.grad for group in phase.optimiser.param_groups for p in group["params"] if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def _let_learn(networks: Networks, learning: tuple[nn.Module, ...]) -> None:
    networks.requires_grad_(False)
    for module in learning:
        module.requires_grad_(True)


def _gradients_stay_here(loss: Callable[..., object]) -> AbstractContextManager[None]:
    """Ranks exchange gradients once per optimiser step, with the last part."""
    return loss.no_sync() if isinstance(loss, DistributedDataParallel) else nullcontext()


def _refuse_not_finite(numbers: dict[str, Tensor], step: int) -> None:
    if torch.isfinite(torch.stack(list(numbers.values()))).all():
        return
    culprits = ", ".join(f"{name} = {value.item()}" for name, value in numbers.items() if not torch.isfinite(value))
    raise UserError(
        f"step {step}: {culprits}. Nothing of this step is saved; the last checkpoint stands. "
        "Try a lower train.lr, a larger train.eps or more train.warmup_steps"
    )
