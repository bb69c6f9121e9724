"""One phase of a step: D learns from a batch, or E and G do (section 3 and appendix)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from components.artifacts.errors import UserError
from components.bigbigan import objective
from components.bigbigan.build import Networks
from components.bigbigan.discriminator import Scores
from components.bigbigan.spectral_norm import power_iteration
from components.train.augmentation import augment
from components.train.draws import Draws
from components.train.state import State


@dataclass(frozen=True)
class Phase:
    """Who learns, by which loss: gradients reach the parameters of `learning` and no others."""

    name: str
    learning: tuple[nn.Module, ...]
    loss_terms: Callable[[Scores, Scores], dict[str, Tensor]]
    optimiser: torch.optim.Optimizer


def phases(state: State, discriminator_steps: int) -> list[Phase]:
    """The phases of a step in their order: D `discriminator_steps` times, then G and E together."""
    networks = state.networks
    discriminator = Phase(
        "discriminator", (networks.discriminator,), objective.discriminator_terms, state.discriminator_optimiser
    )
    generator_encoder = Phase(
        "generator_encoder",
        (networks.generator, networks.encoder),
        objective.generator_encoder_terms,
        state.generator_encoder_optimiser,
    )
    return [discriminator] * discriminator_steps + [generator_encoder]


def run_phase(
    phase: Phase, networks: Networks, images: Tensor, draws: Draws, augment_generated: bool, lr: float, step: int
) -> dict[str, Tensor]:
    """Takes one step of `phase.optimiser`.

    Args:
        images: real images, float N×C×H×W in [-1, 1].
        lr: the rate before each parameter group's own ratio.
        step: for the message of an error.

    Returns:
        Numbers to log: the loss by term, D's mean score of each kind of pair by term, the gradient's norm.

    Raises:
        UserError: a term of the loss, or the gradient, is not finite. No weight has been changed then.
    """
    networks.requires_grad_(False)
    for module in phase.learning:
        module.requires_grad_(True)
        power_iteration(module)

    data, generated = score_pairs(networks, images, draws, augment_generated)
    terms = phase.loss_terms(data, generated)
    phase.optimiser.zero_grad(set_to_none=True)
    objective.total(terms).backward()
    gradients = [p.grad for group in phase.optimiser.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)

    numbers = {f"{phase.name}/loss_{name}": value.detach() for name, value in terms.items()}
    numbers[f"{phase.name}/gradient_norm"] = norm
    _refuse_not_finite(numbers, step)
    for group in phase.optimiser.param_groups:
        group["lr"] = lr * group["lr_ratio"]
    phase.optimiser.step()

    for kind, scores in (("data", data), ("generated", generated)):
        for name, score in scores.terms().items():
            numbers[f"{phase.name}/score_{name}_{kind}"] = score.detach().mean()
    return numbers


def score_pairs(networks: Networks, images: Tensor, draws: Draws, augment_generated: bool) -> tuple[Scores, Scores]:
    """D's scores of N data pairs (x, E(x)) and of N generated pairs (G(z), z).

    E and D see the same view of a real image. D sees both kinds in one pass.
    """
    real = augment(images, draws.data_views)
    generated = networks.generator(draws.latents)
    if augment_generated:
        generated = augment(generated, draws.generated_views)
    encoded = networks.encoder(real, draws.encoder_noise)
    scores: Scores = networks.discriminator(torch.cat([real, generated]), torch.cat([encoded, draws.latents]))
    return scores.split(len(images))


def _refuse_not_finite(numbers: dict[str, Tensor], step: int) -> None:
    if torch.isfinite(torch.stack(list(numbers.values()))).all():
        return
    culprits = ", ".join(f"{name} = {value.item()}" for name, value in numbers.items() if not torch.isfinite(value))
    raise UserError(
        f"step {step}: {culprits}. Training stopped before this step changed a weight; the last checkpoint stands. "
        "Try a lower train.lr, a larger train.eps or more train.warmup_steps"
    )
