"""Two real training steps of every experiment at the paper's size, with a batch that fits: `make test-full-size`.

Two, because some layers start at zero (self-attention's gamma, BiGAN's last layer of D): nothing learns through them in
the first.

Each takes up to some minutes on a CPU, and up to 20 GB of memory; not part of `make test`.
"""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.artifacts.dataset import Split
from components.artifacts.parameters import Recipe
from components.artifacts.ranks import Ranks
from components.bigbigan.build import build_networks
from components.compose.compose import compose
from components.train.loop import Hooks, train
from components.train.state import new_state

OPTIONS = Path(__file__).parents[2] / "params"
EXPERIMENTS = sorted(path.stem for path in (OPTIONS / "experiment").glob("imagenet_*.yaml"))
BATCH = 4


def recipe_of(experiment: str) -> tuple[Recipe, object]:
    parameters = compose(OPTIONS, [f"experiment={experiment}"])
    recipe = parameters.recipe()
    return replace(recipe, train=replace(recipe.train, steps=2, batch_size=BATCH)), parameters.monitoring


class Log:
    """Keeps what the loop writes."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}

    def write(self, name: str, step: int, numbers: dict[str, float]) -> None:
        self.numbers |= numbers


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_weight_learns(experiment):
    recipe, monitoring = recipe_of(experiment)
    size, channels = recipe.image.size, recipe.image.channels
    config = {key: asdict(recipe)[key] for key in ("image", "model")}
    networks = build_networks(config, seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, (8, size, size, channels), dtype=np.uint8)
    state = new_state(networks, recipe.train, torch.device("cpu"))
    before = {name: parameter.detach().mean().item() for name, parameter in networks.named_parameters()}
    log = Log()
    hooks = Hooks(lambda state: None, lambda state, log: None, lambda: False)
    one = Ranks(0, 1, torch.device("cpu"))
    train(state, Split([pixels], None), recipe, monitoring, one, log, hooks)  # type: ignore[arg-type]
    assert all(np.isfinite(value) for value in log.numbers.values())
    unchanged = [name for name, value in networks.named_parameters() if value.detach().mean().item() == before[name]]
    assert not unchanged
