"""The training loop: the method's steps in the order of time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from tqdm import tqdm

from components.artifacts.dataset import Split
from components.artifacts.parameters import Latent, Monitoring, Train
from components.bigbigan.pixels import to_float
from components.train.draws import image_indices, step_draws
from components.train.log import Log
from components.train.phase import phases, run_phase
from components.train.schedule import ema_decay, lr_factor
from components.train.state import State, average


@dataclass(frozen=True)
class Hooks:
    """What happens between steps. No hook changes the state."""

    save: Callable[[State], None]
    look: Callable[[State, Log], None]
    stop_requested: Callable[[], bool]


def train(
    state: State, images: Split, latent: Latent, parameters: Train, monitoring: Monitoring, log: Log, hooks: Hooks
) -> None:
    """Trains from `state.step` to `parameters.steps`.

    Every draw is a function of (seed, step), so a state that was saved and loaded goes on bit for bit.

    Raises:
        UserError: a loss or gradient is not finite; no weight was changed by that step.
        KeyboardInterrupt: a stop was requested; the state has been saved.
    """
    steps = tqdm(
        range(state.step, parameters.steps), initial=state.step, total=parameters.steps, desc="train", unit="step"
    )
    step_phases = phases(state, parameters.discriminator_steps)
    state.networks.train()
    for step in steps:
        numbers: dict[str, torch.Tensor] = {}
        lr = parameters.lr * lr_factor(step, parameters)
        for index, phase in enumerate(step_phases):
            position = (step * len(step_phases) + index) * parameters.batch_size
            batch = to_float(
                images.images(image_indices(parameters.seed, len(images), position, parameters.batch_size))
            )
            draws = step_draws(parameters.seed, step, index, parameters.batch_size, latent, parameters.augmentation)
            numbers |= run_phase(phase, state.networks, batch, draws, parameters.augmentation.generated, lr, step)
        average(state, ema_decay(step, parameters))
        state.step = step + 1

        if _due(state.step, monitoring.log_interval, parameters.steps):
            values = {name: value.item() for name, value in numbers.items()} | {"lr": lr}
            log.write("log.csv", state.step, values)
            steps.set_postfix_str(_summary(values))
        if _due(state.step, monitoring.sample_interval, parameters.steps):
            hooks.look(state, log)
        stop = hooks.stop_requested()
        if stop or _due(state.step, monitoring.checkpoint_interval, parameters.steps):
            hooks.save(state)
        if stop:
            raise KeyboardInterrupt


def _due(step: int, interval: int, last: int) -> bool:
    return step % interval == 0 or step == last


def _summary(values: dict[str, float]) -> str:
    def total(phase: str) -> float:
        return sum(value for name, value in values.items() if name.startswith(f"{phase}/loss_"))

    return f"loss D {total('discriminator'):.2f}, G+E {total('generator_encoder'):.2f}"
