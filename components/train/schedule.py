"""What changes with the step: the learning rate and the decay of the averaged weights."""

from components.artifacts.parameters import Train


def lr_factor(step: int, train: Train) -> float:
    """The factor on every rate at `step`, counted from 0: linear warm-up, flat, linear decay to 0 at the end."""
    warm_up = (step + 1) / train.warmup_steps if step < train.warmup_steps else 1.0
    decay_steps = train.decay_fraction * train.steps
    remaining = train.steps - step
    return min(warm_up, remaining / decay_steps if remaining < decay_steps else 1.0)


def ema_decay(step: int, train: Train) -> float:
    """The weight of the old average at `step`: short memory at first, `train.ema_decay` later."""
    return min(train.ema_decay, (1 + step) / (10 + step))
