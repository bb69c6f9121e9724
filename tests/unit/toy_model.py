"""The configurations of models that the tests of the evaluations build in milliseconds."""

import copy
from collections.abc import Mapping
from typing import Any

CONFIG: dict[str, Any] = {
    "image": {"size": 8, "channels": 1},
    "model": {
        "latent": {"size": 4, "distribution": "normal"},
        "generator": {
            "kind": "biggan",
            "image_size": 8,
            "channels": 4,
            "multipliers": [2, 1],
            "embedding_size": 3,
            "attention_resolution": 0,
        },
        "encoder": {
            "image_size": 8,
            "trunk": {"kind": "basic_resnet", "channels": 4, "multipliers": [1, 2], "stem_kernel": 3},
            "head_width": 8,
            "head_layers": 1,
            "sigma": "softplus",
            "sigma_bias": -2.0,
            "output": "linear",
        },
        "discriminator": {
            "kind": "bigbigan",
            "channels": 4,
            "multipliers": [1],
            "downsampling_blocks": 1,
            "attention_resolution": 0,
            "head_width": 8,
            "head_layers": 2,
            "scores": ["image", "latent", "joint"],
        },
    },
}


def with_values(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of nested mappings with the values of some keys, written with dots, replaced."""
    copied: dict[str, Any] = copy.deepcopy(dict(content))
    for key, value in changes.items():
        *above, last = key.split(".")
        section = copied
        for name in above:
            section = section[name]
        section[last] = copy.deepcopy(value)
    return copied


GAN = with_values(CONFIG, {"model.encoder": None, "model.discriminator.scores": ["image"]})
AUTOENCODER = with_values(CONFIG, {"model.discriminator": None})
# The dataset's images have 16 pixels, and E sees all of them; G makes images of 8.
HALF_SIZE = with_values(CONFIG, {"image.size": 16, "model.encoder.image_size": 16})
