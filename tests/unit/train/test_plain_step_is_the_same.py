"""Our training step against the straightforward way of writing it, in float64: the same weights but for rounding."""

from typing import Any

import pytest

from tests.benchmarks.same_step import differences
from tests.unit.train.toy import make_recipe

# Of the largest weight. Where a gradient is nearly 0, Adam divides its rounding by little more than eps, which is 1e-6.
ROUNDING = 1e-9

RECIPES: dict[str, dict[str, Any]] = {
    "one size": {},
    "larger images, averaged down for D": {
        "image.size": 16,
        "augmentation": {"kind": "crop", "minimum_area": 0.5, "aspect": 1.2, "flip": True, "generated": False},
        "train.discriminator_steps": 1,
    },
    "all blocks of D downsample": {
        "model.discriminator.multipliers": [1, 2],
        "model.discriminator.downsampling_blocks": 2,
    },
    "no unaries": {"model.discriminator.scores": ["joint"]},
}


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES)
def test_the_plain_step_and_each_of_its_items_lead_to_our_weights(changes: dict[str, Any]) -> None:
    found = differences(make_recipe(changes=changes))
    assert set(found) == {"plain", "resampling", "batch norm", "layout", "D", "Adam", "EMA"}
    assert {name: largest for name, largest in found.items() if not largest < ROUNDING} == {}
