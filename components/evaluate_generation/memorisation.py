"""The nearest train image of samples and of test images, among all train images, by features and by pixels."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.ranks import Ranks
from components.bigbigan.pixels import at_size
from components.evaluate_generation.features import extract
from components.evaluate_generation.nearest import NearestImages
from components.evaluate_generation.sharding import all_rows

_LARGEST = 32


@dataclass(frozen=True)
class Nearest:
    """Of Q queries: the distance to the nearest train image, Q float64, and its number in the split, Q int64."""

    distances: Tensor
    indices: Tensor


@dataclass(frozen=True)
class Memorisation:
    """Samples first, test images after them; by the network's features and by pixels."""

    samples: int
    by_features: Nearest
    by_pixels: Nearest


def compared_size(size: int) -> int:
    """The resolution at which pixels are compared: images of `size` pixels, averaged to at most 32."""
    return next(smaller for smaller in range(min(size, _LARGEST), 0, -1) if size % smaller == 0)


@torch.inference_mode()
def search(
    network: FeatureNetworkModule,
    samples: np.ndarray,
    others: np.ndarray,
    features: Tensor,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    ranks: Ranks,
) -> Memorisation:
    """Passes through the train images once. All ranks call this together, each with its own part of them.

    Args:
        samples, others: the queries, uint8 N×H×W×C and M×H×W×C.
        features: of all N + M, as the network gives them.
        batches: this rank's train images, uint8 B×H×W×C, and their numbers in the split, B, in increasing order.
    """
    by_features = NearestImages(features.to(ranks.device))
    by_pixels = NearestImages(_pixels(np.concatenate([samples, others])).to(ranks.device))
    for images, indices in batches:
        numbers = torch.from_numpy(indices).to(ranks.device)
        by_features.add(extract(network, [images], ranks.device).features.to(ranks.device), numbers)
        by_pixels.add(_pixels(images).to(ranks.device), numbers)
    return Memorisation(len(samples), _of_all(by_features, ranks), _of_all(by_pixels, ranks))


def _of_all(found: NearestImages, ranks: Ranks) -> Nearest:
    distances = all_rows(found.squared_distances[None], ranks)
    indices = all_rows(found.indices[None], ranks)
    nearest = distances.amin(0)
    # Of equally near ones the first, as within a rank.
    first = torch.where(distances == nearest, indices, torch.iinfo(torch.int64).max).amin(0)
    return Nearest(nearest.sqrt(), first)


def _pixels(images: np.ndarray) -> Tensor:
    """uint8 N×H×H×C -> N×P in [0, 1]."""
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return at_size(tensor, compared_size(images.shape[1])).flatten(1)
