"""Measures what a model generates, beside the same numbers of real held-out images."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from tqdm import tqdm

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UserError
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.metrics import Metrics
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from components.artifacts.ranks import Ranks
from components.evaluate_generation.collect import Collected, collect
from components.evaluate_generation.compare import Numbers, compare
from components.evaluate_generation.features import Features
from components.evaluate_generation.frechet_uncertainty import extrapolated, grouped, sizes_of_sets, standard_error
from components.evaluate_generation.imported_statistics import ImportedStatistics
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.memorisation import Memorisation
from components.evaluate_generation.nearest import nearer_than
from components.evaluate_generation.protocol import protocol
from components.evaluate_generation.reconstruction import Errors
from components.evaluate_generation.reference import Reference
from components.evaluate_generation.sampling import generated_size


@dataclass(frozen=True)
class Evaluation:
    """The numbers, and what the picture of memorisation is drawn from, if it was looked for."""

    metrics: Metrics
    memorisation: Memorisation | None


def evaluate(
    model: Model,
    dataset: Dataset,
    network: FeatureNetworkModule,
    parameters: EvaluateGeneration,
    ranks: Ranks,
    cache: Path | None,
    imported: ImportedStatistics | None,
) -> Evaluation | None:
    """Computes all metrics. The reference is the train split, the floor the test split against it.

    A test split is mostly far smaller than the number of samples, and most of these numbers depend on the count.
    Hence the samples are measured twice: all of them, and as means over disjoint subsets as large as the test
    split; the latter stand beside the floor. A model without an encoder has no reconstructions.

    Args:
        ranks: all of them call this together.
        cache: where statistics of the reference are kept for later runs.
        imported: statistics of another reference, against which the Fréchet distance is measured too.

    Returns: None on ranks that do not write.

    Raises:
        UserError: the inputs do not belong together, there are too few samples for a covariance, or images or features
            are not finite.
    """
    check_inputs(model, dataset, network, parameters)
    model.networks.to(ranks.device)
    network.prepare(ranks.device)
    collected = collect(model, dataset, network, parameters, ranks, cache)
    if not ranks.writes:
        return None
    assert collected.reference is not None

    keys = Keys(network.name, parameters.precision_recall_neighbours, parameters.density_coverage_neighbours)
    samples, test = collected.samples.to(ranks.device), collected.test.to(ranks.device)
    reference = collected.reference.to(ranks.device)
    imported = None if imported is None else imported.to(ranks.device)
    values, absent = compare(samples, "samples", reference, imported, network.target, keys, parameters)
    values[keys.mean_pixel(f"train{len(reference)}")] = reference.mean_pixel
    numbers = [(values, absent), _uncertainty(samples, reference, keys, parameters)]
    if len(test) == 0:
        numbers.append(({}, {"floor": "the test split is empty"}))
    else:
        numbers.append(compare(test, "test", reference, imported, network.target, keys, parameters))
        if len(test) < len(samples):
            numbers.append(_mean_of_subsets(samples, len(test), reference, imported, network.target, keys, parameters))
    numbers += [
        _reconstruction(model, collected, network.target, keys),
        _memorisation(collected, len(reference), keys),
    ]
    values = {key: value for found, _ in numbers for key, value in found.items()}
    absent = {key: reason for _, missing in numbers for key, reason in missing.items()}
    counts = {"samples": len(samples), "train": len(reference), "test": len(test)}
    told = protocol(dataset, generated_size(model), network, parameters, imported, counts, absent)
    return Evaluation(Metrics(values, told), collected.memorisation)


def check_inputs(model: Model, dataset: Dataset, network: FeatureNetworkModule, parameters: EvaluateGeneration) -> None:
    """Raises: UserError, if model, dataset and feature network are not of one kind of image, or samples are too few."""
    if len(dataset.train) < 2:
        raise UserError("the dataset's train split has fewer than two images: give the step `prepare` more")
    _, size, _, channels = dataset.train.shards[0].shape
    of_data = {"size": size, "channels": channels}
    of_model = {name: model.config["image"][name] for name in of_data}
    if of_model != of_data:
        raise UserError(
            f"the model was made for images of {of_model}, the dataset has {of_data}: give those that belong together"
        )
    of_network = network.description["image"]
    if of_network not in (None, of_data):
        raise UserError(
            f"the feature network takes images of {of_network}, the dataset has {of_data}: run `feature_network` on it"
        )
    if parameters.samples <= network.feature_size:
        raise UserError(
            f"evaluate_generation.samples is {parameters.samples}; the Fréchet distance on {network.feature_size} "
            f"features needs more than {network.feature_size} samples: raise it, or lower feature_network.feature_size"
        )


def _mean_of_subsets(
    samples: Features,
    size: int,
    reference: Reference,
    imported: ImportedStatistics | None,
    target: str,
    keys: Keys,
    parameters: EvaluateGeneration,
) -> Numbers:
    """`compare` for each disjoint subset of `size` samples, averaged by key; the spread of the distance beside it."""
    starts = range(0, len(samples) - size + 1, size)
    bar = tqdm(starts, desc="subsets of samples", unit="subset")
    results = [
        compare(samples[start : start + size], "samples", reference, imported, target, keys, parameters)
        for start in bar
    ]
    first_values, absent = results[0]
    values = {key: float(np.mean([found[key] for found, _ in results])) for key in first_values}
    sides = f"samples{size}", f"train{len(reference)}"
    distance, error = keys.distance(*sides), keys.standard_error(*sides)
    if distance not in values:
        return values, {**absent, error: absent[distance]}
    if len(results) < 2:
        return values, {**absent, error: "there is one subset of samples alone"}
    spread = np.std([found[distance] for found, _ in results], ddof=1)
    return {**values, error: float(spread / np.sqrt(len(results)))}, absent


def _uncertainty(samples: Features, reference: Reference, keys: Keys, parameters: EvaluateGeneration) -> Numbers:
    """How certain the distance of all samples is, and where it tends to with more of them."""
    sides = f"samples{len(samples)}", f"train{len(reference)}"
    error, limit = keys.standard_error(*sides), keys.extrapolated(*sides)
    size, groups = samples.features.shape[1], parameters.frechet_groups
    if len(reference) <= size:
        return {}, dict.fromkeys((error, limit), f"{size} features need more than {size} images on both sides")
    parts = grouped(samples.features, groups)
    values: dict[str, float] = {}
    absent: dict[str, str] = {}
    if len(samples) - max(part.count for part in parts) > size:
        values[error] = standard_error(parts, reference.moments)
    else:
        absent[error] = f"{size} features need more samples than {size} without one of {groups} groups"
    if len(sizes_of_sets(groups, len(samples), size)) >= 3:
        values[limit] = extrapolated(parts, reference.moments)
    else:
        absent[limit] = f"a line needs three sizes of sets of samples, each at least twice the {size} features"
    return values, absent


def _reconstruction(model: Model, collected: Collected, target: str, keys: Keys) -> Numbers:
    images, found = f"test{len(collected.test)}", collected.reconstruction
    if found is None:
        no_encoder = model.networks.encoder is None
        reason = "the model has no encoder" if no_encoder else "the test split has fewer than two images"
        absent = [keys.reconstruction(error.name, images) for error in fields(Errors)]
        return {}, dict.fromkeys([*absent, *([keys.same_class(images)] if target == "labels" else [])], reason)
    values = {keys.reconstruction(error, images): value for error, value in vars(found.errors).items()}
    return values | ({keys.same_class(images): found.same_class} if target == "labels" else {}), {}


def _memorisation(collected: Collected, train: int, keys: Keys) -> Numbers:
    found = collected.memorisation
    if found is None:
        reason = "memorisation_images is 0" if len(collected.test) else "the test split is empty"
        return {}, {"nearer_to_train_than_test": reason}
    values = {}
    for by, nearest in ((keys.network, found.by_features), ("pixels", found.by_pixels)):
        samples, others = nearest.distances[: found.samples], nearest.distances[found.samples :]
        key = keys.nearer_to_train(by, f"samples{len(samples)}", f"test{len(others)}", f"train{train}")
        values[key] = nearer_than(samples, others)
    return values, {}
