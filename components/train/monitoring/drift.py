"""How far G's samples are from the train images, and how diverse: no label, no other split, no other network.

In an adversarial game the losses do not tell when samples become worse. A coarse look at the pixels does: samples and
train images averaged down to 7×7 grey cells, their Fréchet distance, and the distances among them.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.parameters import Latent
from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size, to_float
from components.measures.frechet_distance import Moments, frechet_distance, moments
from components.train.draws import drift_latents
from components.train.passes import generate

_CELLS = 7
_SAMPLES = 512
_IMAGES = 4096


@dataclass(frozen=True)
class Reference:
    """The train images: moments of their cells, and the cells, N×49, of at most as many of them as samples."""

    moments: Moments
    cells: Tensor


def can_be_measured(images: Split) -> bool:
    """Whether there are enough images for a covariance of the cells."""
    return len(images) > _CELLS**2


def reference(images: Split, size: int) -> Reference:
    """Of (at most 4,096, evenly drawn) train images, averaged to G's `size`."""
    every = -(-len(images) // _IMAGES)
    indices = range(0, len(images), every)
    parts = [images.images(indices[start : start + 256]) for start in range(0, len(indices), 256)]
    cells = torch.cat([_cells(at_size(to_float(part), size)) for part in parts])
    return Reference(moments(cells), cells[:: -(-len(cells) // _SAMPLES)])


@torch.no_grad()
def measure(networks: Networks, train: Reference, latent: Latent, seed: int) -> dict[str, float]:
    """512 samples, always of the same latents, beside the train images.

    `drift/coarse_distance` is their Fréchet distance. `diversity/all_pairs` is the mean distance between two samples,
    `diversity/nearest_pairs` that between a sample and its nearest other one, each divided by the same of equally many
    train images: 1 where samples are as diverse as these. The first falls when all samples become alike, the second
    already when they become copies of a few.

    Args:
        networks: in eval mode.
        train: what `reference` gives.
    """
    latents = drift_latents(seed, _SAMPLES, latent).to(next(networks.parameters()).device)
    cells = _cells(generate(networks.generator, latents).float()).cpu()
    pairs, nearest = _distances(cells[: len(train.cells)])
    train_pairs, train_nearest = _distances(train.cells)
    return {
        "drift/coarse_distance": frechet_distance(moments(cells), train.moments),
        "drift/mean_pixel_generated": float(cells.mean()),
        "drift/mean_pixel_train": float(train.moments.mean.mean()),
        "diversity/all_pairs": pairs / train_pairs,
        "diversity/nearest_pairs": nearest / train_nearest,
    }


def _cells(images: Tensor) -> Tensor:
    """N×C×H×W in [-1, 1] -> N×49 in [0, 1]."""
    return F.adaptive_avg_pool2d((images.mean(1, keepdim=True) + 1.0) / 2.0, _CELLS).flatten(1)


def _distances(cells: Tensor) -> tuple[float, float]:
    """The mean Euclidean distance of all pairs, and of each image to its nearest other one; 1e-6 or more."""
    # Without the shortcut by products of matrices, which gives copies a distance that is not 0.
    distances = torch.cdist(cells, cells, compute_mode="donot_use_mm_for_euclid_dist")
    count = len(cells)
    pairs = float(distances.sum()) / (count * (count - 1))
    nearest = float(distances.fill_diagonal_(torch.inf).amin(1).mean())
    return max(pairs, 1e-6), max(nearest, 1e-6)
