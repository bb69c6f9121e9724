"""Training of a few hundred weights on a few images, by every method, for tests in milliseconds."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from components.artifacts.dataset import Split
from components.artifacts.parameters import Monitoring, Recipe, build
from components.artifacts.ranks import Ranks
from components.bigbigan.build import Networks, build_networks
from components.bigbigan.pixels import to_float
from components.train.checkpoint import load_newest_checkpoint, receive_state, save_checkpoint
from components.train.draws import Draws, step_draws
from components.train.loop import Hooks, train
from components.train.monitoring.log import Log
from components.train.state import State, new_state
from tests.unit.toy_model import CONFIG, with_values

CPU = torch.device("cpu")
ALONE = Ranks(0, 1, CPU)
MONITORING = Monitoring(log_interval=1, sample_interval=2, checkpoint_interval=2, checkpoints_kept=2)

RECIPE: dict[str, Any] = {
    **with_values(
        CONFIG,
        {
            "model.generator.attention_resolution": 8,
            "model.encoder.head_layers": 2,
            "model.encoder.sigma_bias": -1.0,
            "model.discriminator.multipliers": [1, 2],
            "model.discriminator.attention_resolution": 4,
        },
    ),
    "objective": {
        "adversarial": "hinge",
        "average_scores": False,
        "latent_regression_encoder": 0.0,
        "latent_regression_generator": 0.0,
        "reconstruction_l1": 0.0,
        "reconstruction_l2": 0.0,
    },
    "augmentation": {"kind": "shift", "shift": 1, "flip": True, "generated": True},
    "train": {
        "seed": 3,
        "steps": 6,
        "batch_size": 4,
        "accumulation_steps": 1,
        "discriminator_steps": 2,
        "simultaneous": False,
        "lr": 0.01,
        "generator_lr_ratio": 0.5,
        "encoder_lr_ratio": 2.0,
        "beta1": 0.0,
        "beta2": 0.999,
        "eps": 1e-6,
        "weight_decay": 0.0,
        "warmup_steps": 2,
        "decay_fraction": 0.3,
        "decay_to": 0.0,
        "decay_shape": "linear",
        "ema_decay": 0.9,
        "precision": "fp32",
        "recompute_activations": False,
        "standing_batches": 2,
    },
}

_BIGAN: dict[str, Any] = {
    "model.latent.distribution": "uniform",
    "model.generator": {"kind": "mlp", "image_size": 8, "width": 12},
    "model.encoder.trunk": {"kind": "mlp", "width": 12},
    "model.encoder.head_width": None,
    "model.encoder.head_layers": 0,
    "model.encoder.sigma": "none",
    "model.encoder.output": "tanh",
    "model.discriminator": {"kind": "mlp", "width": 12, "scores": ["joint"]},
    "objective.adversarial": "softplus",
    "train.simultaneous": True,
    "train.discriminator_steps": 1,
}
_REGRESSOR = _BIGAN | {"model.discriminator.scores": ["image"], "objective.latent_regression_encoder": 1.0}
_AUTOENCODER = _BIGAN | {
    "model.discriminator": None,
    "objective.adversarial": "none",
    "train.simultaneous": False,
}
METHODS: dict[str, dict[str, Any]] = {
    "BigBiGAN": {},
    "no unaries": {"model.discriminator.scores": ["joint"]},
    "x unary only": {"model.discriminator.scores": ["image", "joint"]},
    "z unary only": {"model.discriminator.scores": ["latent", "joint"]},
    "hinge of the sum": {"objective.adversarial": "hinge_of_sum"},
    "deterministic E": {"model.encoder.sigma": "none"},
    "GAN": {"model.encoder": None, "model.discriminator.scores": ["image"]},
    "BiGAN": _BIGAN,
    "ALI": {
        "image.size": 16,
        "model.generator": {"kind": "dcgan", "image_size": 16, "channels": 4, "repeat_latent": True},
        "model.encoder.sigma": "exp",
        "model.discriminator": {"kind": "dcgan", "channels": 4, "scores": ["joint"]},
        "objective.adversarial": "softplus",
    },
    "latent regressor": _REGRESSOR,
    "joint latent regressor": _REGRESSOR | {"objective.latent_regression_generator": 0.25},
    "autoencoder l1": _AUTOENCODER | {"objective.reconstruction_l1": 1.0},
    "autoencoder l2": _AUTOENCODER | {"objective.reconstruction_l2": 1.0},
}


def make_recipe(method: str = "BigBiGAN", changes: Mapping[str, Any] | None = None) -> Recipe:
    """A method's recipe, with some keys (dotted) changed."""
    recipe: Recipe = build(Recipe, with_values(RECIPE, METHODS[method] | dict(changes or {})), "")
    return recipe


def config(recipe: Recipe) -> dict[str, Any]:
    """What the networks are built from."""
    return {name: asdict(recipe)[name] for name in ("image", "model")}


def make_state(recipe: Recipe, dtype: torch.dtype = torch.float32, started: bool = False) -> State:
    """The state before the first step.

    Args:
        started: no weight is where it starts: 0, say, which keeps those before it from learning.
    """
    networks = build_networks(config(recipe), recipe.train.seed).to(dtype)
    if started:
        _leave_the_start(networks)
    return new_state(networks, recipe.train, CPU)


def make_images(size: int = 8) -> Split:
    return Split([np.random.default_rng(0).integers(0, 256, (14, size, size, 1), dtype=np.uint8)], labels=None)


def pixels(count: int, size: int = 8, dtype: torch.dtype = torch.float32) -> Tensor:
    """Images as the loss gets them, N×1×H×W in [-1, 1]."""
    return 2 * torch.rand(count, 1, size, size, dtype=dtype, generator=torch.Generator().manual_seed(1)) - 1


def in_double(draws: Draws) -> Draws:
    return replace(draws, latents=draws.latents.double(), encoder_noise=draws.encoder_noise.double())


def gradients(networks: nn.Module) -> dict[str, Tensor | None]:
    return {
        name: None if parameter.grad is None else parameter.grad.clone()
        for name, parameter in networks.named_parameters()
    }


def weights(networks: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in networks.named_parameters()}


def run(
    directory: Path,
    recipe: Recipe,
    ranks: Ranks = ALONE,
    stop_after: int = 0,  # steps; 0: never
    monitoring: Monitoring = MONITORING,
    dtype: torch.dtype = torch.float32,
) -> State:
    """Trains in a folder from its newest checkpoint if it has one. Raises: KeyboardInterrupt, if it is to stop."""
    directory.mkdir(exist_ok=True, parents=True)
    state = make_state(recipe, dtype)
    if ranks.writes:
        load_newest_checkpoint(directory, state)
    receive_state(state, ranks)
    images = make_images(recipe.image.size)
    hooks = Hooks(
        save=lambda state: save_checkpoint(directory, state, kept=2),
        look=lambda state, log: None,
        stop_requested=lambda: state.step == stop_after,
    )
    with ExitStack() as stack:
        if dtype == torch.float64:
            stack.enter_context(mock.patch("components.train.loop.step_draws", lambda *at: in_double(step_draws(*at))))
            stack.enter_context(
                mock.patch("components.train.batches.to_float", lambda images: to_float(images).double())
            )
        log = stack.enter_context(Log(directory, state.step)) if ranks.writes else None
        train(state, images, recipe, monitoring, ranks, log, hooks)
    return state


def same(one: State, other: State) -> bool:
    """Whether two states are of the same step and bits."""
    return one.step == other.step and all(
        torch.equal(value, second[name])
        for first, second in zip(_values(one), _values(other), strict=True)
        for name, value in first.items()
    )


def distance(one: State, other: State) -> float:
    """The largest difference of a weight or an average, as a share of the largest weight of its tensor."""
    pairs = zip(_values(one), _values(other), strict=True)
    return max(
        float((value - second[name]).abs().max() / second[name].abs().max().clamp(min=1e-2))
        for first, second in pairs
        for name, value in first.items()
        if value.is_floating_point()
    )


def _values(state: State) -> list[dict[str, Tensor]]:
    return [state.networks.state_dict(), state.averaged.state_dict()]


def _leave_the_start(networks: Networks) -> None:
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in networks.named_parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator).to(parameter.dtype)
            if name.endswith("_score.bias"):
                # Where no score leaves the margin of the hinge, what data and generated pairs do to a bias cancels.
                parameter += 5.0
