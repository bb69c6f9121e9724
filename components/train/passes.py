"""Many images where no gradient is wanted: in passes that fit beside a training state on one device."""

import torch
from torch import Tensor, nn

from components.bigbigan.encoder.encoder import Encoder


def images_in_a_pass(size: int) -> int:
    """As many images of `size` px as have the pixels of 64 at 128 px, 256 at most.

    At 256 px that is 16, for each of which G's self-attention takes half a GiB.
    """
    return max(1, min(256, 64 * 128**2 // size**2))


def generate(generator: nn.Module, latents: Tensor) -> Tensor:
    """G(z): N×Z -> N×C×H×W."""
    size = generator(latents[:1]).shape[-1]
    return torch.cat([generator(part) for part in latents.split(images_in_a_pass(size))])


def mean_codes(encoder: Encoder, images: Tensor) -> Tensor:
    """The means of E(x): N×C×H×W -> N×Z."""
    parts = images.split(images_in_a_pass(images.shape[-1]))
    return torch.cat([encoder.mean(part) for part in parts])
