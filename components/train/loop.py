"""The training loop: the method's steps in the order of time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from tqdm import tqdm

from components.artifacts.dataset import Split
from components.artifacts.parameters import Monitoring, Recipe
from components.artifacts.ranks import Ranks
from components.train.batches import batches
from components.train.draws import step_draws
from components.train.monitoring.log import Log
from components.train.phase import apply, backward, phases
from components.train.schedule import ema_decay, lr_factor
from components.train.state import State, average


@dataclass(frozen=True)
class Hooks:
    """What happens between steps, on rank 0. No hook changes the state."""

    save: Callable[[State], None]
    look: Callable[[State, Log], None]
    stop_requested: Callable[[], bool]


def train(
    state: State, images: Split, recipe: Recipe, monitoring: Monitoring, ranks: Ranks, log: Log | None, hooks: Hooks
) -> None:
    """Trains from `state.step` to `recipe.train.steps`.

    Every draw is a function of (seed, step), so a state that was saved and loaded goes on bit for bit. All ranks call
    this together; the log is rank 0's.

    Raises:
        UserError: a loss or gradient is not finite; nothing of that step has been saved.
        KeyboardInterrupt: a stop was requested, of any rank; the state has been saved.
    """
    parameters = recipe.train
    batch_size, parts = parameters.batch_size, parameters.accumulation_steps
    rows = ranks.share(batch_size, parts)
    turns = phases(state, recipe, ranks)
    positions = (turn * batch_size for turn in range(state.step * len(turns), parameters.steps * len(turns)))
    real = batches(images, parameters, positions, ranks)
    steps = tqdm(
        range(state.step, parameters.steps),
        initial=state.step,
        total=parameters.steps,
        desc="train",
        unit="step",
        disable=not ranks.writes,
    )
    state.networks.train()
    for step in steps:
        numbers: dict[str, torch.Tensor] = {}
        lr = parameters.lr * lr_factor(step, parameters)
        for index, turn in enumerate(turns):
            batch = next(real)
            draws = step_draws(recipe, step, index)[rows].to(ranks.device)
            for phase in turn:
                numbers |= backward(phase, state.networks, batch, draws, parts, ranks, step)
            for phase in turn:
                apply(phase, lr)
        average(state, ema_decay(step, parameters))
        state.step = step + 1

        if log and _due(state.step, monitoring.log_interval, parameters.steps):
            values = {name: value.item() for name, value in numbers.items()} | {"lr": lr}
            log.write("log.csv", state.step, values)
            steps.set_postfix_str(_summary(values))
        if log and _due(state.step, monitoring.sample_interval, parameters.steps):
            hooks.look(state, log)
        stop = ranks.any(hooks.stop_requested())
        if ranks.writes and (stop or _due(state.step, monitoring.checkpoint_interval, parameters.steps)):
            hooks.save(state)
        if stop:
            ranks.any(stop)  # all wait for rank 0 to have saved: torchrun kills it 30 s after another has left
            raise KeyboardInterrupt


def _due(step: int, interval: int, last: int) -> bool:
    return step % interval == 0 or step == last


def _summary(values: dict[str, float]) -> str:
    losses = {"D": "discriminator/loss", "G+E": "generator_encoder/loss"}
    return "loss " + ", ".join(f"{who} {values[key]:.2f}" for who, key in losses.items() if key in values)
