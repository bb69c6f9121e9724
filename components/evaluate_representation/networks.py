"""The networks whose features are measured, frozen: trained E, E as it is initialised, and D."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from components import bigbigan
from components.artifacts.code_hash import code_hash
from components.artifacts.dataset import Dataset, Split
from components.artifacts.model import Model
from components.artifacts.ranks import Ranks
from components.bigbigan.build import build_networks
from components.bigbigan.discriminator.bigbigan import BigBiGANDiscriminator
from components.bigbigan.discriminator.dcgan import DCGANDiscriminator
from components.bigbigan.discriminator.mlp import MLPDiscriminator
from components.bigbigan.discriminator.scores import Discriminator
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.pixels import at_size, to_float
from components.bigbigan.standing_statistics import recompute
from components.evaluate_representation import extraction
from components.evaluate_representation.cache import obtain, weights_hash
from components.evaluate_representation.extraction import Extract, write_features

# Of batch normalisation where training left none. Apart from the parameter `batch_size`, on which no result may depend.
STATISTICS_BATCH = 256
STATISTICS_BATCHES = 200

# Other code may give other features of the same weights.
_CODE = (Path(bigbigan.__file__).parent, Path(extraction.__file__), Path(__file__))


@dataclass(frozen=True)
class Frozen:
    """A network, and what features it gives.

    `identity` holds all that these depend on, apart from the dataset and the code. `load` moves the network to a device
    and makes it ready.
    """

    name: str
    title: str
    identity: Mapping[str, Any]
    load: Callable[[torch.device], Extract]


def obtain_features(frozen: Frozen, dataset: Dataset, batch_size: int, cache: Path, ranks: Ranks) -> tuple[Path, bool]:
    """The folder of the cache with `<view>-<split>.npy`, and whether it was there; all ranks call this together.

    Raises:
        UserError: a feature is not finite.
    """
    identity = {"network": frozen.identity, "dataset": dataset.manifest["version"], "code": code_hash(*_CODE)}

    def write(directory: Path) -> None:
        extract = frozen.load(ranks.device)
        write_features(extract, dataset, batch_size, directory, ranks, frozen.title)

    return obtain(cache, frozen.name, identity, write, ranks)


def trained_encoder(model: Model) -> Frozen:
    """Views: avepool and mu."""
    encoder = model.networks.encoder
    assert encoder is not None
    identity = _identity(encoder, model.config)
    return Frozen("encoder", "trained encoder", identity, lambda device: _of_encoder(encoder, device))


def untrained_encoder(model: Model, train: Split, seed: int) -> Frozen:
    """E as it is before training, but with batch norm statistics of the train images, so that it is compared fairly.

    View: avepool.
    """
    encoder = build_networks(model.config, seed).encoder
    assert encoder is not None
    latent_size = model.config["model"]["latent"]["size"]

    def load(device: torch.device) -> Extract:
        encoder.to(device)
        recompute(encoder, _statistics_batches(train, seed, latent_size, device))
        extract = _of_encoder(encoder, device)
        return lambda images: {"avepool": extract(images)["avepool"]}

    identity = _identity(encoder, model.config) | {"statistics": _statistics(seed)}
    return Frozen("untrained_encoder", "untrained encoder", identity, load)


def discriminator(model: Model, train: Split, seed: int) -> Frozen | str:
    """D's last features of the image alone, or why there are none. View: discriminator.

    D of BigBiGAN has F(x). A DCGAN or MLP that scores images alone has the features before its score; with batch norm
    statistics of the train images, as training leaves none. If it scores pairs, z is in all its features.
    """
    network = model.networks.discriminator
    if network is None:
        return "the model has no discriminator"
    features = _image_features(network)
    if features is None:
        return "all features of this discriminator depend on z"
    size = model.config["model"]["generator"]["image_size"]
    latent_size = model.config["model"]["latent"]["size"]

    def load(device: torch.device) -> Extract:
        network.to(device)
        if network.normalises_batches:
            batches = _statistics_batches(train, seed, latent_size, device)
            recompute(network, ((at_size(images, size), noise) for images, noise in batches))
        return lambda images: {"discriminator": features(at_size(images, size))}

    identity = _identity(network, model.config)
    if network.normalises_batches:
        identity["statistics"] = _statistics(seed)
    return Frozen("discriminator", "discriminator", identity, load)


def _of_encoder(encoder: Encoder, device: torch.device) -> Extract:
    encoder.to(device).eval()

    def extract(images: Tensor) -> dict[str, Tensor]:
        features = encoder.features(images)
        return {"avepool": features, "mu": encoder.distribution(features)[0]}

    return extract


def _image_features(network: Discriminator) -> Callable[[Tensor], Tensor] | None:
    if isinstance(network, BigBiGANDiscriminator):
        return network.image_features
    if isinstance(network, DCGANDiscriminator | MLPDiscriminator) and not network.sees_latents:
        return lambda images: network.features(images, None)
    return None


def _identity(network: nn.Module, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"weights": weights_hash(network), "config": {key: config[key] for key in ("image", "model")}}


def _statistics(seed: int) -> dict[str, int]:
    return {"seed": seed, "batch": STATISTICS_BATCH, "batches": STATISTICS_BATCHES}


def _statistics_batches(
    train: Split, seed: int, latent_size: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Train images in random order, and zeros for z."""
    order = np.random.default_rng(seed).permutation(len(train))
    # The average counts each batch alike, so a short last one is left out.
    whole = min(len(order) // STATISTICS_BATCH, STATISTICS_BATCHES) * STATISTICS_BATCH
    chosen = order[:whole] if whole else order
    for start in range(0, len(chosen), STATISTICS_BATCH):
        images = train.images(chosen[start : start + STATISTICS_BATCH])
        yield to_float(images).to(device), torch.zeros(len(images), latent_size, device=device)
