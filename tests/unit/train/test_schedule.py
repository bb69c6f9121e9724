from dataclasses import replace

import pytest

from components.artifacts.parameters import Train
from components.train.schedule import ema_decay, lr_factor


@pytest.fixture
def parameters(train_parameters: Train) -> Train:
    return replace(train_parameters, steps=100, warmup_steps=10, decay_fraction=0.2, ema_decay=0.99)


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 0.1), (4, 0.5), (9, 1.0), (50, 1.0), (80, 1.0), (90, 0.5), (99, 0.05)]
)
def test_the_rate_warms_up_stays_and_decays(parameters: Train, step: int, factor: float) -> None:
    assert lr_factor(step, parameters) == pytest.approx(factor)


def test_without_warm_up_and_decay_the_rate_is_flat(parameters: Train) -> None:
    flat = replace(parameters, warmup_steps=0, decay_fraction=0.0)
    assert {lr_factor(step, flat) for step in range(100)} == {1.0}


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (10, 11 / 20), (10_000, 0.99)])
def test_the_average_has_a_short_memory_at_first(parameters: Train, step: int, decay: float) -> None:
    assert ema_decay(step, parameters) == pytest.approx(decay)
