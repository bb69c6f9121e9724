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
    draw_sheets: Callable[[State], None]
    stop_requested: Callable[[], bool]


def train(
    state: State, images: Split, latent: Latent, train: Train, monitoring: Monitoring, seed: int, log: Log, hooks: Hooks
) -> None:
    """Trains from `state.step` to `train.steps`.

    Every draw is a function of (seed, step), so a state that was saved and loaded goes on bit for bit.

    Raises:
        UserError: a loss or gradient is not finite; no weight was changed by that step.
        KeyboardInterrupt: a stop was requested; the state has been saved.
    """
    steps = tqdm(range(state.step, train.steps), initial=state.step, total=train.steps, desc="train", unit="step")
    step_phases = phases(state, train.discriminator_steps)
    state.networks.train()
    for step in steps:
        numbers: dict[str, torch.Tensor] = {}
        lr = train.lr * lr_factor(step, train)
        for index, phase in enumerate(step_phases):
            position = (step * len(step_phases) + index) * train.batch_size
            batch = to_float(images.images(image_indices(seed, len(images), position, train.batch_size)))
            draws = step_draws(seed, step, index, train.batch_size, latent, train.augmentation)
            numbers |= run_phase(phase, state.networks, batch, draws, train.augmentation.generated, lr, step)
        average(state, ema_decay(step, train))
        state.step = step + 1

        if _due(state.step, monitoring.log_interval, train.steps):
            values = {name: value.item() for name, value in numbers.items()} | {"lr": lr}
            log.write(state.step, values)
            steps.set_postfix_str(_summary(values))
        if _due(state.step, monitoring.sample_interval, train.steps):
            hooks.draw_sheets(state)
        stop = hooks.stop_requested()
        if stop or _due(state.step, monitoring.checkpoint_interval, train.steps):
            hooks.save(state)
        if stop:
            raise KeyboardInterrupt


def _due(step: int, interval: int, last: int) -> bool:
    return step % interval == 0 or step == last


def _summary(values: dict[str, float]) -> str:
    def total(phase: str) -> float:
        return sum(value for name, value in values.items() if name.startswith(f"{phase}/loss_"))

    return f"loss D {total('discriminator'):.2f}, G+E {total('generator_encoder'):.2f}"
