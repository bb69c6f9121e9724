"""What changes with the step: the learning rate and the decay of the averaged weights."""

from components.artifacts.parameters import Train


def lr_factor(step: int, train: Train) -> float:
    """The factor on every rate at `step`, counted from 0: linear warm-up, flat, decay to `train.decay_to`."""
    warm_up = (step + 1) / train.warmup_steps if step < train.warmup_steps else 1.0
    decay_steps = train.decay_fraction * train.steps
    remaining = train.steps - step
    if remaining >= decay_steps:
        return warm_up
    still_to_go = remaining / decay_steps
    if train.decay_shape == "exponential":
        return min(warm_up, train.decay_to ** (1.0 - still_to_go))
    return min(warm_up, train.decay_to + (1.0 - train.decay_to) * still_to_go)


def ema_decay(step: int, train: Train) -> float:
    """The weight of the old average at `step`: short memory at first, `train.ema_decay` later."""
    return min(train.ema_decay, (1 + step) / (10 + step))
