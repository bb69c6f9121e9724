"""Features of images, extracted once for all metrics."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.errors import UserError
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.ranks import Ranks
from components.evaluate_generation.resolution import averaged, enlarged
from components.evaluate_generation.sharding import all_rows


@dataclass(frozen=True)
class Features:
    """What the feature network says of N images. `len()` is N.

    `features` N×D and `logits` N×K, float32 as the network gives them; `mean_pixels` N, float64 in [0, 1].
    """

    features: Tensor
    logits: Tensor
    mean_pixels: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice | Tensor) -> "Features":
        return Features(self.features[rows], self.logits[rows], self.mean_pixels[rows])

    def to(self, device: torch.device) -> "Features":
        return Features(self.features.to(device), self.logits.to(device), self.mean_pixels.to(device))

    def of_all(self, ranks: Ranks) -> "Features":
        """Those of all ranks, in order of rank, on the CPU."""
        return Features(*(all_rows(part, ranks) for part in (self.features, self.logits, self.mean_pixels)))


@torch.inference_mode()
def extract(network: FeatureNetworkModule, batches: Iterable[np.ndarray], device: torch.device) -> Features:
    """Runs the network over batches of uint8 images N×H×W×C, and returns what it says on the CPU.

    Where the network takes images of one size only, smaller ones are enlarged to it.

    Raises: UserError, if features or logits are not finite.
    """
    image = network.description["image"]
    features = [torch.empty(0, network.feature_size)]
    logits = [torch.empty(0, network.description["outputs"])]
    mean_pixels = [torch.empty(0, dtype=torch.float64)]
    for batch in batches:
        pixels = torch.from_numpy(batch).to(device)
        one, two = network(pixels if image is None else enlarged(pixels, image["size"]))
        features.append(one.cpu())
        logits.append(two.cpu())
        mean_pixels.append(torch.from_numpy(batch.reshape(len(batch), -1).mean(1) / 255.0))
        if not (features[-1].isfinite().all() and logits[-1].isfinite().all()):
            raise UserError(
                f"the feature network {network.name} gives features that are not finite: its weights are of no use, "
                "run the step `feature_network` again"
            )
    # Copies, which may be changed in place outside of the inference mode.
    return Features(*(torch.cat(parts) for parts in (features, logits, mean_pixels)))


def split_batches(split: Split, indices: np.ndarray, size: int, batch_size: int) -> Iterator[np.ndarray]:
    """The images at `indices`, in that order, `batch_size` at a time, averaged: uint8 N×size×size×C.

    The next batch is read while the present one is used.
    """
    with ThreadPoolExecutor(1) as reader:
        ahead: Future[np.ndarray] | None = None
        for part in parts(indices, batch_size):
            present, ahead = ahead, reader.submit(lambda part: averaged(split.images(part), size), part)
            if present is not None:
                yield present.result()
        if ahead is not None:
            yield ahead.result()


def parts(indices: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """`batch_size` of them at a time."""
    for start in range(0, len(indices), batch_size):
        yield indices[start : start + batch_size]
