"""A BigBiGAN of a few hundred weights, and images to train it on, for tests in milliseconds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset, Split
from components.artifacts.parameters import Augmentation, Latent, Monitoring, Train
from components.bigbigan.build import build_networks
from components.train.state import State, new_state

CONFIG: dict[str, Any] = {
    "image": {"size": 8, "channels": 1},
    "model": {
        "latent": {"size": 4, "distribution": "normal"},
        "generator": {"channels": 4, "multipliers": [2, 1], "embedding_size": 3, "attention_resolution": 8},
        "discriminator": {
            "channels": 4,
            "multipliers": [1, 2],
            "downsampling_blocks": 1,
            "attention_resolution": 4,
            "head_width": 8,
            "head_layers": 2,
            "image_unary": True,
            "latent_unary": True,
        },
        "encoder": {
            "channels": 4,
            "multipliers": [1, 2],
            "stem_kernel": 3,
            "head_width": 8,
            "head_layers": 2,
            "stochastic": True,
            "sigma_bias": -1.0,
        },
    },
}
LATENT = Latent(size=4, distribution="normal")
TRAIN = Train(
    seed=3,
    steps=6,
    batch_size=4,
    discriminator_steps=2,
    lr=0.01,
    generator_lr_ratio=0.5,
    encoder_lr_ratio=2.0,
    beta1=0.0,
    beta2=0.999,
    eps=1e-6,
    warmup_steps=2,
    decay_fraction=0.3,
    ema_decay=0.9,
    augmentation=Augmentation(shift=1, flip=True, generated=True),
    standing_batches=2,
)
MONITORING = Monitoring(log_interval=1, sample_interval=2, checkpoint_interval=2, checkpoints_kept=2)


@pytest.fixture
def images() -> Split:
    return Split([np.random.default_rng(0).integers(0, 256, (14, 8, 8, 1), dtype=np.uint8)], labels=None)


@pytest.fixture
def dataset(images: Split) -> Dataset:
    return Dataset({"version": "v", "image": {"size": 8, "channels": 1}, "classes": None}, images, images, images)


@pytest.fixture
def make_state() -> Callable[..., State]:
    def make(**changes: Any) -> State:
        return new_state(build_networks(CONFIG, seed=TRAIN.seed), replace(TRAIN, **changes))

    return make


@pytest.fixture
def train_parameters() -> Train:
    return TRAIN


@pytest.fixture
def config() -> dict[str, Any]:
    return CONFIG


@pytest.fixture
def latent() -> Latent:
    return LATENT


@pytest.fixture
def monitoring() -> Monitoring:
    return MONITORING
