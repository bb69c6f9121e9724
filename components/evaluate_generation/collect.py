"""What is drawn, featurised and searched on all ranks; the numbers are made of it afterwards, on one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from components.artifacts.dataset import Dataset, Split
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from components.artifacts.ranks import Ranks
from components.evaluate_generation.features import Features, extract, parts, split_batches
from components.evaluate_generation.memorisation import Memorisation, search
from components.evaluate_generation.reconstruct import Reconstruction, reconstruct
from components.evaluate_generation.reference import Reference, measure_reference
from components.evaluate_generation.reference_cache import obtain_reference
from components.evaluate_generation.sampling import generated_size, latents, sample_batches
from components.evaluate_generation.sharding import share


@dataclass(frozen=True)
class Collected:
    """Features of samples and of test images (perhaps none), on the CPU; and what could be had of the rest.

    `reference` is None on ranks that do not write, if it came from the cache.
    """

    samples: Features
    test: Features
    reference: Reference | None
    reconstruction: Reconstruction | None
    memorisation: Memorisation | None


def collect(
    model: Model,
    dataset: Dataset,
    network: FeatureNetworkModule,
    parameters: EvaluateGeneration,
    ranks: Ranks,
    cache: Path | None,
) -> Collected:
    """All ranks call this together; each draws, reads and featurises its own share.

    Raises: UserError, if images or features are not finite.
    """
    size, batch_size = generated_size(model), parameters.batch_size
    z = latents(model, parameters.samples, parameters.seed)
    drawn = z[share(len(z), ranks)]
    batches = sample_batches(model, drawn, batch_size, ranks.device)
    samples = extract(network, _bar(batches, "samples", len(drawn), batch_size, ranks), ranks.device).of_all(ranks)

    order = test_order(dataset, parameters)
    own = order[share(len(order), ranks)]
    batches = split_batches(dataset.test, own, size, batch_size)
    test = extract(network, _bar(batches, "test images", len(own), batch_size, ranks), ranks.device).of_all(ranks)

    def measured() -> Reference:
        shuffled = random_order(dataset.train, len(dataset.train), parameters)
        rows = share(len(shuffled), ranks)
        batches = split_batches(dataset.train, shuffled[rows], size, batch_size)
        bar = _bar(batches, "train images", rows.stop - rows.start, batch_size, ranks)
        return measure_reference(network, bar, rows.start, parameters.pairwise_images, ranks)

    identity = _identity_of_reference(dataset, network, size, parameters)
    reference = obtain_reference(cache, identity, measured, ranks)

    encoder = model.networks.encoder
    reconstruction = None
    if encoder is not None and len(order) >= 2:
        reconstruction = reconstruct(model, encoder, network, dataset.test, order, test.logits, batch_size, ranks)
    memorisation = None
    if parameters.memorisation_images and len(order):
        memorisation = _memorisation(model, dataset, network, samples, test, parameters, ranks)
    return Collected(samples, test, reference, reconstruction, memorisation)


def random_order(split: Split, count: int, parameters: EvaluateGeneration) -> np.ndarray:
    """`count` indices of the split in random order, without repetition."""
    return np.random.default_rng(parameters.seed).permutation(len(split))[:count]


def test_order(dataset: Dataset, parameters: EvaluateGeneration) -> np.ndarray:
    """The test images that are measured, at most as many as samples, in random order."""
    return random_order(dataset.test, min(len(dataset.test), parameters.samples), parameters)


def _identity_of_reference(
    dataset: Dataset, network: FeatureNetworkModule, size: int, parameters: EvaluateGeneration
) -> Mapping[str, Any]:
    """All that statistics of the train images depend on."""
    return {
        "dataset_version": dataset.manifest["version"],
        "split": "train",
        "images": len(dataset.train),
        "resolution": size,
        "feature_network": network.name,
        "weights_sha256": network.description["weights_sha256"],
        "input": network.description["input"],
        "held": parameters.pairwise_images,
        "seed": parameters.seed,
    }


def _memorisation(
    model: Model,
    dataset: Dataset,
    network: FeatureNetworkModule,
    samples: Features,
    test: Features,
    parameters: EvaluateGeneration,
    ranks: Ranks,
) -> Memorisation:
    size, batch_size, count = generated_size(model), parameters.batch_size, parameters.memorisation_images
    z = latents(model, parameters.samples, parameters.seed)[:count]
    generated = np.concatenate(list(sample_batches(model, z, batch_size, ranks.device)))
    order = test_order(dataset, parameters)[:count]
    others = np.concatenate(list(split_batches(dataset.test, order, size, batch_size)))
    features = torch.cat([samples.features[:count], test.features[:count]])
    rows = share(len(dataset.train), ranks)
    numbers = np.arange(rows.start, rows.stop)

    batches = zip(split_batches(dataset.train, numbers, size, batch_size), parts(numbers, batch_size), strict=True)
    bar = _bar(batches, "nearest train images", len(numbers), batch_size, ranks)
    return search(network, generated, others, features, bar, ranks)


def _bar(batches: Iterable[Any], what: str, images: int, batch_size: int, ranks: Ranks) -> Iterable[Any]:
    """A progress bar of this rank's part, which stands for all: they are as long."""
    return tqdm(batches, desc=what, unit="batch", total=-(-images // batch_size), disable=not ranks.writes)
