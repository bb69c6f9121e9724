"""The configuration of a model that the tests of the evaluations build in milliseconds."""

from typing import Any

CONFIG: dict[str, Any] = {
    "image": {"size": 8, "channels": 1},
    "model": {
        "latent": {"size": 4, "distribution": "normal"},
        "generator": {"channels": 4, "multipliers": [2, 1], "embedding_size": 3, "attention_resolution": 0},
        "discriminator": {
            "channels": 4,
            "multipliers": [1],
            "downsampling_blocks": 1,
            "attention_resolution": 0,
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
            "head_layers": 1,
            "stochastic": True,
            "sigma_bias": -2.0,
        },
    },
}
