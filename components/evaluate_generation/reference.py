"""What samples are compared with: statistics of all images of a split, and the features of some of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.ranks import Ranks
from components.evaluate_generation.features import extract
from components.evaluate_generation.sharding import all_rows, total
from components.measures.frechet_distance import Moments
from components.measures.running_moments import RunningMoments


@dataclass(frozen=True)
class Reference:
    """N images. `len()` is N.

    `moments` of all features, D and D×D; `class_counts` K, how many of them the network gives to each class; their
    `mean_pixel` in [0, 1]; and `held`, the features of the first H of them in random order, float32 H×D.
    """

    moments: Moments
    class_counts: Tensor
    mean_pixel: float
    held: Tensor

    def __len__(self) -> int:
        return int(self.class_counts.sum())

    @property
    def class_shares(self) -> Tensor:
        return self.class_counts.double() / len(self)

    def to(self, device: torch.device) -> "Reference":
        return Reference(self.moments.to(device), self.class_counts.to(device), self.mean_pixel, self.held.to(device))


def measure_reference(
    network: FeatureNetworkModule, batches: Iterable[np.ndarray], first: int, held: int, ranks: Ranks
) -> Reference:
    """Adds up what the ranks see, each in its own run of the images, and keeps the features of the first alone.

    Args:
        batches: this rank's images, uint8 N×H×W×C.
        first: the position of the first of them among the images of all ranks.
        held: the number of images whose features are kept.
    """
    running = RunningMoments(network.feature_size, ranks.device)
    class_counts = torch.zeros(network.description["outputs"], dtype=torch.int64)
    pixels = torch.zeros(1, dtype=torch.float64)
    kept = [torch.empty(0, network.feature_size)]
    position = first
    for batch in batches:
        part = extract(network, [batch], ranks.device)
        running.add(part.features)
        class_counts += part.logits.argmax(1).bincount(minlength=len(class_counts))
        pixels += part.mean_pixels.sum()
        kept.append(part.features[: max(0, held - position)])
        position += len(batch)
    whole = _joined(running, ranks)
    counts = total(class_counts.to(ranks.device), ranks)
    mean_pixel = float(total(pixels.to(ranks.device), ranks)) / whole.count
    return Reference(whole.result(), counts, mean_pixel, all_rows(torch.cat(kept).to(ranks.device), ranks))


def _joined(running: RunningMoments, ranks: Ranks) -> RunningMoments:
    """What all ranks have seen, joined in order of rank, on the CPU."""
    size = len(running.mean)
    counts = all_rows(torch.tensor([running.count], device=ranks.device), ranks)
    means, scatters = all_rows(running.mean[None], ranks), all_rows(running.scatter[None], ranks)
    whole = RunningMoments(size)
    for count, mean, scatter in zip(counts, means, scatters, strict=True):
        part = RunningMoments(size)
        part.count, part.mean, part.scatter = int(count), mean, scatter
        whole.join(part)
    return whole
