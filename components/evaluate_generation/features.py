"""Features of images, extracted once for all metrics."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.feature_network import FeatureNetworkModule
from components.evaluate_generation.resolution import enlarged


@dataclass(frozen=True)
class Features:
    """What the feature network says of N images, on the CPU. `len()` is N.

    `features` N×D and `logits` N×K, float32 as the network gives them; `mean_pixels` N, float64 in [0, 1].
    """

    features: Tensor
    logits: Tensor
    mean_pixels: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice | Tensor) -> "Features":
        return Features(self.features[rows], self.logits[rows], self.mean_pixels[rows])


@torch.no_grad()
def extract(network: FeatureNetworkModule, batches: Iterable[np.ndarray], device: torch.device) -> Features:
    """Runs the network over batches of uint8 images N×H×W×C, of which there must be at least one.

    Where the network takes images of one size only, smaller ones are enlarged to it.
    """
    image = network.description["image"]
    features, logits, mean_pixels = [], [], []
    for batch in batches:
        pixels = torch.from_numpy(batch).to(device)
        one, two = network(pixels if image is None else enlarged(pixels, image["size"]))
        features.append(one.cpu())
        logits.append(two.cpu())
        mean_pixels.append(torch.from_numpy(batch.reshape(len(batch), -1).mean(1) / 255.0))
    return Features(torch.cat(features), torch.cat(logits), torch.cat(mean_pixels))


def split_batches(split: Split, indices: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """The images at `indices`, in that order, uint8 N×H×W×C as they are stored, `batch_size` at a time."""
    for start in range(0, len(indices), batch_size):
        yield split.images(indices[start : start + batch_size])
