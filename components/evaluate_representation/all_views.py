"""All views of one model and dataset: their features, computed where the cache has them not, stay on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.dataset import Dataset
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateRepresentation
from components.artifacts.ranks import Ranks
from components.evaluate_representation.features_file import obtain_file, view_of
from components.evaluate_representation.networks import (
    Frozen,
    discriminator,
    obtain_features,
    trained_encoder,
    untrained_encoder,
)
from components.evaluate_representation.views import View, bn_crelu, pixels, stored


@dataclass(frozen=True)
class Views:
    """The views by name; `absent`: why there is none, by name; `reused`: whose features were in the cache."""

    views: dict[str, View]
    absent: dict[str, str]
    reused: list[str]


def obtain_views(
    model: Model,
    dataset: Dataset,
    parameters: EvaluateRepresentation,
    files: Mapping[str, Path],
    cache: Path,
    ranks: Ranks,
) -> Views:
    """All ranks call this together.

    Args:
        files: features of the user's, by name.

    Raises:
        UserError: features are not finite, or a file of features does not fit the dataset.
    """
    # First of all: a file that does not fit shall not be found out after hours.
    brought = {name: obtain_file(cache, name, path, dataset, ranks) for name, path in files.items()}
    reused: list[str] = []

    def folder(network: Frozen) -> Path:
        directory, was_there = obtain_features(network, dataset, parameters.batch_size, cache, ranks)
        if was_there:
            reused.append(network.title)
        return directory

    device, absent = ranks.device, {}
    trained = folder(trained_encoder(model))
    untrained = folder(untrained_encoder(model, dataset.train, parameters.seed))
    avepool, untrained_avepool = (stored(directory, "avepool-", device) for directory in (trained, untrained))
    views = {
        "avepool": avepool,
        "bn_crelu": bn_crelu(avepool),
        "mu": stored(trained, "mu-", device),
        "pixels": pixels(dataset, device),
        "untrained_avepool": untrained_avepool,
        "untrained_bn_crelu": bn_crelu(untrained_avepool),
    }
    d = discriminator(model, dataset.train, parameters.seed)
    if isinstance(d, str):
        absent["discriminator"] = d
    else:
        views["discriminator"] = stored(folder(d), "discriminator-", device)
    views |= {view_of(name): stored(directory, "", device) for name, directory in brought.items()}
    return Views(views, absent, reused)
