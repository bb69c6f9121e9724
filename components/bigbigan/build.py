"""From a configuration to networks."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from components.bigbigan.discriminator import Discriminator, ImageFeatures
from components.bigbigan.encoder import Encoder
from components.bigbigan.generator import Generator


class Networks(nn.Module):
    """G, E and D of one model."""

    def __init__(self, generator: Generator, encoder: Encoder, discriminator: Discriminator) -> None:
        super().__init__()
        self.generator = generator
        self.encoder = encoder
        self.discriminator = discriminator


def build_networks(config: Mapping[str, Any], seed: int) -> Networks:
    """Builds untrained networks; the same seed gives the same weights, whatever was drawn before.

    Args:
        config: the sections `image` and `model` of the parameters, as plain mappings.
    """
    size, channels = config["image"]["size"], config["image"]["channels"]
    model = config["model"]
    latent_size = model["latent"]["size"]
    discriminator = dict(model["discriminator"])
    heads = {name: discriminator.pop(name) for name in ("head_width", "head_layers", "image_unary", "latent_unary")}
    with torch.random.fork_rng(devices=[]):
        # Not `torch.manual_seed`, which would seed the accelerators' generators too, and they are not restored.
        torch.default_generator.manual_seed(seed)
        return Networks(
            Generator(size, channels, latent_size, **model["generator"]),
            Encoder(channels, latent_size, **model["encoder"]),
            Discriminator(ImageFeatures(size, channels, **discriminator), latent_size, **heads),
        )
