"""The configurations of models that the tests of the evaluations build in milliseconds."""

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


def changed(**sections: Any) -> dict[str, Any]:
    """`CONFIG` with other sections of the model, or with `image`."""
    image = sections.pop("image", CONFIG["image"])
    return {"image": image, "model": {**CONFIG["model"], **sections}}


GAN = changed(encoder=None, discriminator={**CONFIG["model"]["discriminator"], "scores": ["image"]})
AUTOENCODER = changed(discriminator=None)
# The dataset's images have 16 pixels, and E sees all of them; G makes images of 8.
HALF_SIZE = changed(image={"size": 16, "channels": 1}, encoder={**CONFIG["model"]["encoder"], "image_size": 16})
