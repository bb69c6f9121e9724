"""A small configuration of the networks."""

import copy
from typing import Any

import pytest

CONFIG: dict[str, Any] = {
    "image": {"size": 16, "channels": 3},
    "model": {
        "latent": {"size": 9, "distribution": "normal"},
        "generator": {
            "kind": "biggan",
            "image_size": 16,
            "channels": 4,
            "multipliers": [3, 2, 1],
            "embedding_size": 5,
            "attention_resolution": 8,
        },
        "encoder": {
            "image_size": 16,
            "trunk": {"kind": "basic_resnet", "channels": 4, "multipliers": [1, 2], "stem_kernel": 5},
            "head_width": 11,
            "head_layers": 2,
            "sigma": "softplus",
            "sigma_bias": -2.0,
            "output": "linear",
        },
        "discriminator": {
            "kind": "bigbigan",
            "channels": 4,
            "multipliers": [1, 2, 3],
            "downsampling_blocks": 2,
            "attention_resolution": 8,
            "head_width": 10,
            "head_layers": 3,
            "scores": ["image", "latent", "joint"],
        },
    },
}


@pytest.fixture
def config() -> dict[str, Any]:
    return copy.deepcopy(CONFIG)
