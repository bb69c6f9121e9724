"""Signs that G drifts, from what training can see: its own samples and the train images, no label, no other split.

In an adversarial game the losses do not tell when samples become worse. A coarse look at the pixels does: the
Fréchet distance between samples and train images, both averaged down to 7×7 grey cells.
"""

import csv
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.parameters import Latent
from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size, to_float
from components.measures.frechet_distance import Moments, frechet_distance, moments
from components.train.draws import drift_latents

_CELLS = 7
_SAMPLES = 512
_IMAGES = 4096
# The distance falls with some noise; half as much again as its lowest is more than that noise.
_ALARM = 1.5


def can_be_measured(images: Split) -> bool:
    """Whether there are enough images for a covariance of the cells."""
    return len(images) > _CELLS**2


def reference(images: Split, size: int) -> Moments:
    """The moments of (at most 4,096, evenly drawn) train images, averaged to G's `size`."""
    every = -(-len(images) // _IMAGES)
    indices = range(0, len(images), every)
    parts = [images.images(indices[start : start + 256]) for start in range(0, len(indices), 256)]
    return moments(torch.cat([_cells(at_size(to_float(part), size)) for part in parts]))


@torch.no_grad()
def measure(networks: Networks, train: Moments, latent: Latent, seed: int) -> dict[str, float]:
    """The coarse distance of 512 samples, always of the same latents, and their mean pixel beside that of train.

    Args:
        networks: in eval mode.
        train: what `reference` gives.
    """
    latents = drift_latents(seed, _SAMPLES, latent).to(next(networks.parameters()).device)
    cells = torch.cat([_cells(networks.generator(z)) for z in latents.split(64)]).cpu()
    return {
        "drift/coarse_distance": frechet_distance(moments(cells), train),
        "drift/mean_pixel_generated": float(cells.mean()),
        "drift/mean_pixel_train": float(train.mean.mean()),
    }


def advice(history: Path) -> str | None:
    """What to tell the person at the last row of `history` (drift.csv), or None while all is well."""
    with history.open(newline="") as file:
        distances = {int(row["step"]): float(row["drift/coarse_distance"]) for row in csv.DictReader(file)}
    best = min(distances, key=lambda step: distances[step])
    last = max(distances)
    if distances[last] <= _ALARM * distances[best]:
        return None
    return (
        f"warning: G drifts. Its distance to the train images was lowest at step {best} ({distances[best]:.3g}) and is "
        f"{distances[last]:.3g} at step {last}. E may still improve; for G's sake try train.steps={best}, or a lower "
        "train.lr"
    )


def _cells(images: Tensor) -> Tensor:
    """N×C×H×W in [-1, 1] -> N×49 in [0, 1]."""
    return F.adaptive_avg_pool2d((images.mean(1, keepdim=True) + 1.0) / 2.0, _CELLS).flatten(1)
