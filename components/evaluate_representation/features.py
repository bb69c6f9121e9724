"""Frozen features of every image, by view: what the probe and kNN are given (section 4.1 and appendix of the paper)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from components.artifacts.dataset import Dataset, Split
from components.artifacts.errors import UserError
from components.bigbigan.build import build_networks
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.pixels import to_float
from components.bigbigan.standing_statistics import recompute

BATCH_NORM_EPS = 1e-5

# Apart from the parameter `batch_size`, on which no result may depend.
STATISTICS_BATCH = 256

VIEWS = {
    "avepool": "E's last feature map after ReLU, averaged over positions",
    "bn_crelu": f"[ReLU(h), ReLU(-h)] of h = (avepool - mean) / sqrt(variance + {BATCH_NORM_EPS:g}), moments of train",
    "mu": "the mean of E(x), without noise",
    "pixels": "the image itself, flattened, in [0, 1]: a reference",
    "untrained_avepool": "avepool of E as it is initialised, batch norm statistics of train: a reference",
    "untrained_bn_crelu": "bn_crelu of E as it is initialised, batch norm statistics of train: a reference",
}


@dataclass(frozen=True)
class View:
    """One kind of features, float32: N_train×F, N_validation×F, N_test×F."""

    train: Tensor
    validation: Tensor
    test: Tensor


def compute_views(
    encoder: Encoder, config: Mapping[str, Any], dataset: Dataset, batch_size: int, seed: int, device: torch.device
) -> dict[str, View]:
    """Passes each image once through the trained and once through an untrained encoder; keys are those of `VIEWS`.

    Args:
        encoder: the trained E, in eval mode.
        config: the sections `image` and `model` that E was built from.
        batch_size: images per pass; no result depends on it.
        seed: of the untrained encoder's weights.
    """
    avepool, mu = encode(encoder, dataset, batch_size, device, "trained encoder")
    reference = untrained_encoder(config, dataset.train, seed, device)
    untrained, _ = encode(reference, dataset, batch_size, device, "untrained encoder")
    return {
        "avepool": avepool,
        "bn_crelu": bn_crelu(avepool),
        "mu": mu,
        "pixels": pixels(dataset, device),
        "untrained_avepool": untrained,
        "untrained_bn_crelu": bn_crelu(untrained),
    }


@torch.no_grad()
def encode(encoder: Encoder, dataset: Dataset, batch_size: int, device: torch.device, name: str) -> tuple[View, View]:
    """The AvePool features of all three splits, and the means of E(x). Raises: UserError, if one is not finite."""
    encoder.to(device).eval()
    avepool, mu = [], []
    for split in _splits(dataset):
        batches = _batches(np.arange(len(split)), batch_size)
        bar = tqdm(batches, desc=f"features, {name}", unit="batch", leave=False)
        pooled = [encoder.features(to_float(split.images(batch)).to(device)) for batch in bar]
        avepool.append(torch.cat(pooled))
        mu.append(torch.cat([encoder.distribution(features)[0] for features in pooled]))
        if not (avepool[-1].isfinite().all() and mu[-1].isfinite().all()):
            raise UserError(f"the {name} gives features that are not finite: its weights are of no use, train again")
    return View(*avepool), View(*mu)


def pixels(dataset: Dataset, device: torch.device) -> View:
    """The images, flattened, in [0, 1]: there the background is zero and cosine compares what is drawn on it."""
    return View(*(torch.as_tensor(split.images()).to(device).flatten(1) / 255.0 for split in _splits(dataset)))


def bn_crelu(view: View) -> View:
    """BN+CReLU: batch normalisation without parameters, by train's moments, then [ReLU(h), ReLU(-h)]: N×F -> N×2F."""
    train = view.train.double()
    mean, variance = train.mean(0), train.var(0, correction=0)

    def transform(features: Tensor) -> Tensor:
        h = (features.double() - mean) / (variance + BATCH_NORM_EPS).sqrt()
        return torch.cat([h.relu(), (-h).relu()], dim=1).float()

    return View(transform(view.train), transform(view.validation), transform(view.test))


def untrained_encoder(config: Mapping[str, Any], train: Split, seed: int, device: torch.device) -> Encoder:
    """E as it is before training, but with batch norm statistics of the train images, so that it is compared fairly."""
    encoder = build_networks(config, seed).encoder
    assert encoder is not None
    encoder.to(device)
    latent_size = config["model"]["latent"]["size"]
    order = np.random.default_rng(seed).permutation(len(train))
    whole = len(order) // STATISTICS_BATCH * STATISTICS_BATCH

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        # The average counts each batch alike, so a short last one is left out.
        for indices in _batches(order[:whole] if whole else order, STATISTICS_BATCH):
            yield to_float(train.images(indices)).to(device), torch.zeros(len(indices), latent_size, device=device)

    recompute(encoder, batches())
    return encoder


def _splits(dataset: Dataset) -> tuple[Split, Split, Split]:
    return dataset.train, dataset.validation, dataset.test


def _batches(indices: np.ndarray, size: int) -> list[np.ndarray]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
