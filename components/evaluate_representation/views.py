"""Views of an image: the features that the probe and kNN are given (section 4.1 and appendix of the paper)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from components.artifacts.dataset import SPLITS, Dataset, Split
from components.evaluate_representation.rows import Part, Rows, moments, rows_in

BATCH_NORM_EPS = 1e-5
LARGEST_PIXELS = 64

VIEWS = {
    "avepool": "E's last feature map after ReLU, averaged over positions",
    "bn_crelu": f"[ReLU(h), ReLU(-h)] of h = (avepool - mean) / sqrt(variance + {BATCH_NORM_EPS:g}), moments of train",
    "mu": "the mean of E(x), without noise",
    "pixels": f"the image itself, flattened, in [0, 1], averaged to at most {LARGEST_PIXELS} px: a reference",
    "untrained_avepool": "avepool of E as it is initialised, batch norm statistics of train: a reference",
    "untrained_bn_crelu": "bn_crelu of E as it is initialised, batch norm statistics of train: a reference",
    "discriminator": "D's last features of the image alone before its score, summed over positions: a reference",
}


@dataclass(frozen=True)
class View:
    """One kind of features, float32: N_train×F, N_validation×F, N_test×F."""

    train: Rows
    validation: Rows
    test: Rows

    def __iter__(self) -> Iterator[Rows]:
        return iter((self.train, self.validation, self.test))

    def then(self, change: Callable[[Tensor], Tensor], width: int) -> "View":
        """The same images, the features of each changed by themselves: n×F -> n×`width`."""
        return View(*(rows.then(change, width) for rows in self))


def stored(directory: Path, prefix: str, device: torch.device) -> View:
    """The features in `<prefix><split>.npy`, which stay on disk."""
    arrays = (np.load(directory / f"{prefix}{split}.npy", mmap_mode="r", allow_pickle=False) for split in SPLITS)
    return View(*(rows_in(array, device) for array in arrays))


def pixels(dataset: Dataset, device: torch.device) -> View:
    """The images, flattened, in [0, 1]: there the background is zero and cosine compares what is drawn on it."""

    def rows(split: Split) -> Rows:
        height, width, channels = split.shards[0].shape[1:]
        size = min(height, LARGEST_PIXELS), min(width, LARGEST_PIXELS)

        def read(part: Part) -> Tensor:
            images = torch.as_tensor(split.images(np.arange(len(split))[part])).to(device) / 255.0
            if (height, width) != size:
                images = F.adaptive_avg_pool2d(images.permute(0, 3, 1, 2), size).permute(0, 2, 3, 1)
            return images.flatten(1)

        return Rows(len(split), size[0] * size[1] * channels, device, read)

    return View(rows(dataset.train), rows(dataset.validation), rows(dataset.test))


def bn_crelu(view: View) -> View:
    """BN+CReLU: batch normalisation without parameters, by train's moments, then [ReLU(h), ReLU(-h)]: N×F -> N×2F."""
    known = moments(view.train)
    deviation = (known.variance + BATCH_NORM_EPS).sqrt()

    def change(features: Tensor) -> Tensor:
        h = (features.double() - known.mean) / deviation
        return torch.cat([h.relu(), (-h).relu()], dim=1).float()

    return view.then(change, 2 * view.train.width)
