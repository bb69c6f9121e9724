"""From a configuration to networks."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from components.bigbigan.discriminator.bigbigan import BigBiGANDiscriminator
from components.bigbigan.discriminator.dcgan import DCGANDiscriminator
from components.bigbigan.discriminator.mlp import MLPDiscriminator
from components.bigbigan.discriminator.scores import Discriminator
from components.bigbigan.encoder.alexnet import AlexNet
from components.bigbigan.encoder.basic_resnet import BasicResNet
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.encoder.mlp import MLPTrunk
from components.bigbigan.encoder.resnet import ResNet
from components.bigbigan.encoder.revnet import RevNet
from components.bigbigan.generator.biggan import BigGANGenerator
from components.bigbigan.generator.dcgan import DCGANGenerator
from components.bigbigan.generator.mlp import MLPGenerator

GENERATORS = {"biggan": BigGANGenerator, "dcgan": DCGANGenerator, "mlp": MLPGenerator}
TRUNKS = {"basic_resnet": BasicResNet, "resnet": ResNet, "revnet": RevNet, "alexnet": AlexNet, "mlp": MLPTrunk}
DISCRIMINATORS = {"bigbigan": BigBiGANDiscriminator, "dcgan": DCGANDiscriminator, "mlp": MLPDiscriminator}


class Networks(nn.Module):
    """G, E and D of one model; E is None in a GAN without an encoder, D in an autoencoder."""

    def __init__(self, generator: nn.Module, encoder: Encoder | None, discriminator: Discriminator | None) -> None:
        super().__init__()
        self.generator = generator
        self.encoder = encoder
        self.discriminator = discriminator


def build_networks(config: Mapping[str, Any], seed: int) -> Networks:
    """Builds untrained networks; the same seed gives the same weights, whatever was drawn before.

    Args:
        config: the sections `image` and `model` of the parameters, as plain mappings.
    """
    channels = config["image"]["channels"]
    model = config["model"]
    latent_size, generated_size = model["latent"]["size"], model["generator"]["image_size"]
    with torch.random.fork_rng(devices=[]):
        # Not `torch.manual_seed`, which would seed the accelerators' generators too, and they are not restored.
        torch.default_generator.manual_seed(seed)
        generator = _make(GENERATORS, model["generator"], channels, latent_size)
        encoder = None if model["encoder"] is None else _encoder(channels, latent_size, **model["encoder"])
        discriminator: Discriminator | None = None
        if model["discriminator"] is not None:
            discriminator = _make(DISCRIMINATORS, model["discriminator"], channels, generated_size, latent_size)
        return Networks(generator, encoder, discriminator)


def _make(kinds: Mapping[str, Any], section: Mapping[str, Any], *given: int) -> Any:
    return kinds[section["kind"]](*given, **{key: value for key, value in section.items() if key != "kind"})


def _encoder(image_channels: int, latent_size: int, trunk: Mapping[str, Any], image_size: int, **head: Any) -> Encoder:
    return Encoder(_make(TRUNKS, trunk, image_channels, image_size), latent_size, image_size, **head)
