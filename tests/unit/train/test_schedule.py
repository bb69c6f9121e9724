from itertools import pairwise
from typing import Any

import pytest

from components.artifacts.parameters import Train
from components.train.schedule import ema_decay, lr_factor
from tests.unit.train.toy import make_recipe

PARAMETERS = {
    "train.steps": 100,
    "train.warmup_steps": 10,
    "train.decay_fraction": 0.2,
    "train.ema_decay": 0.99,
}


def parameters(**changes: Any) -> Train:
    return make_recipe(changes=PARAMETERS | {f"train.{key}": value for key, value in changes.items()}).train


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 0.1), (4, 0.5), (9, 1.0), (50, 1.0), (80, 1.0), (90, 0.5), (99, 0.05)]
)
def test_the_rate_warms_up_stays_and_decays(step: int, factor: float) -> None:
    assert lr_factor(step, parameters()) == pytest.approx(factor)


def test_without_warm_up_and_decay_the_rate_is_flat() -> None:
    flat = parameters(warmup_steps=0, decay_fraction=0.0)
    assert {lr_factor(step, flat) for step in range(100)} == {1.0}


@pytest.mark.parametrize(("step", "factor"), [(0, 0.1), (80, 1.0), (85, 0.85), (90, 0.7), (100, 0.4)])
def test_the_rate_decays_to_what_it_is_told(step: int, factor: float) -> None:
    assert lr_factor(step, parameters(decay_to=0.4)) == pytest.approx(factor)


@pytest.mark.parametrize(("step", "factor"), [(0, 0.1), (80, 1.0), (85, 0.01**0.25), (90, 0.1), (100, 0.01)])
def test_an_exponential_decay_falls_by_the_same_factor_each_step(step: int, factor: float) -> None:
    assert lr_factor(step, parameters(decay_shape="exponential", decay_to=0.01)) == pytest.approx(factor)


def test_bigans_rate_is_full_for_half_of_the_steps_and_ends_at_a_hundredth() -> None:
    bigan = parameters(warmup_steps=0, decay_fraction=0.5, decay_shape="exponential", decay_to=0.01)
    factors = [lr_factor(step, bigan) for step in range(101)]
    assert set(factors[:51]) == {1.0}
    ratios = [later / earlier for earlier, later in pairwise(factors[50:])]
    assert ratios == pytest.approx([0.01 ** (1 / 50)] * 50)
    assert factors[100] == pytest.approx(0.01)


@pytest.mark.parametrize("shape", ["linear", "exponential"])
def test_where_warm_up_and_decay_meet_the_lower_one_counts(shape: str) -> None:
    both = parameters(warmup_steps=100, decay_fraction=1.0, decay_shape=shape, decay_to=0.01)
    assert lr_factor(0, both) == pytest.approx(0.01)
    assert lr_factor(50, both) == pytest.approx(0.505 if shape == "linear" else 0.1)
    assert lr_factor(99, both) < 0.03


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (10, 11 / 20), (10_000, 0.99)])
def test_the_average_has_a_short_memory_at_first(step: int, decay: float) -> None:
    assert ema_decay(step, parameters()) == pytest.approx(decay)
