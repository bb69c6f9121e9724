"""Reconstructs held-out images, on all ranks, and adds up the errors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from components.artifacts.dataset import Split
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.model import Model
from components.artifacts.pictures import to_uint8
from components.artifacts.ranks import Ranks
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.pixels import at_size, to_float
from components.evaluate_generation.features import extract
from components.evaluate_generation.reconstruction import Errors, error_sums, reconstruction_errors, same_class
from components.evaluate_generation.sampling import encode, generated_size
from components.evaluate_generation.sharding import share, total


@dataclass(frozen=True)
class Reconstruction:
    """Errors of all images, and the share of them that keep their class (as the feature network tells it)."""

    errors: Errors
    same_class: float


@torch.inference_mode()
def reconstruct(
    model: Model,
    encoder: Encoder,
    network: FeatureNetworkModule,
    split: Split,
    order: np.ndarray,
    logits: Tensor,
    batch_size: int,
    ranks: Ranks,
) -> Reconstruction:
    """G(mean of E(x)) of the images at `order`, two or more, in random order. All ranks call this together.

    Args:
        logits: the feature network's for these images, N×K.
    """
    size = generated_size(model)

    def decoded(images: np.ndarray) -> Tensor:
        return model.networks.generator(encode(encoder, images, ranks.device).to(ranks.device)).cpu()

    rows = share(len(order), ranks)
    sums, same = torch.zeros(4, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    starts = range(rows.start, rows.stop, batch_size)
    # The reconstruction of the image before this rank's first one; before the very first comes the last.
    before = decoded(split.images(order[[rows.start - 1]])) if len(starts) else torch.empty(0)
    for start in tqdm(starts, desc="reconstructions", unit="batch", disable=not ranks.writes):
        part = slice(start, min(start + batch_size, rows.stop))
        images = split.images(order[part])
        reconstructions = decoded(images)
        shuffled = torch.cat([before, reconstructions[:-1]])
        sums += error_sums(at_size(to_float(images), size), reconstructions, shuffled)
        seen = extract(network, [to_uint8(reconstructions.numpy())], ranks.device).logits
        same += same_class(logits[part], seen).sum()
        before = reconstructions[-1:]
    errors = reconstruction_errors(total(sums.to(ranks.device), ranks), len(order))
    return Reconstruction(errors, float(total(same.to(ranks.device), ranks)) / len(order))
