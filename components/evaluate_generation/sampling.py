"""Images out of a model: samples of the prior, and reconstructions."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from components.artifacts.errors import UserError
from components.artifacts.model import Model
from components.artifacts.pictures import to_uint8
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.latents import draw
from components.bigbigan.pixels import to_float


def generated_size(model: Model) -> int:
    """The resolution of G, in pixels: that of the dataset, or a fraction of it."""
    size: int = model.config["model"]["generator"]["image_size"]
    return size


def latents(model: Model, count: int, seed: int) -> Tensor:
    """`count` draws from the prior, not truncated, N×Z on the CPU: the same on every device."""
    latent = model.config["model"]["latent"]
    return draw(latent["distribution"], (count, latent["size"]), torch.Generator().manual_seed(seed))


@torch.no_grad()
def generate(model: Model, z: Tensor, device: torch.device) -> np.ndarray:
    """G(z) as a viewer gets it: N×Z -> uint8 N×H×W×C. Raises: UserError, if a pixel is not finite."""
    images = model.networks.generator(z.to(device))
    if not images.isfinite().all():
        raise UserError("G gives images that are not finite: the model's weights are of no use, train again")
    return to_uint8(images.cpu().numpy())


def sample_batches(model: Model, z: Tensor, batch_size: int, device: torch.device) -> Iterator[np.ndarray]:
    """`generate`, `batch_size` latents at a time."""
    for chunk in z.split(batch_size):
        yield generate(model, chunk, device)


@torch.no_grad()
def encode(encoder: Encoder, images: np.ndarray, device: torch.device) -> Tensor:
    """The mean of E(x), without its noise: uint8 N×H×W×C -> N×Z on the CPU."""
    return encoder.mean(to_float(images).to(device)).cpu()
