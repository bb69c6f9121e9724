"""Measures what a model generates, beside the same numbers of real held-out images."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from components.artifacts.dataset import Dataset, Split
from components.artifacts.errors import UserError
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.metrics import Metrics
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.pixels import at_size, to_float
from components.evaluate_generation.compare import compare
from components.evaluate_generation.features import Features, extract, split_batches
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.pictures import (
    save_interpolations,
    save_interpolations_of_samples,
    save_reconstructions,
    save_samples,
)
from components.evaluate_generation.reconstruction import Errors, reconstruction_errors, same_class
from components.evaluate_generation.resolution import averaged
from components.evaluate_generation.sampling import encode, generate, generated_size, latents, sample_batches

DEFINITIONS = {
    "frechet_distance": "squared; covariances divided by N - 1; float64; biased upwards, more so for fewer images: "
    "compare samples and test at the same count",
    "score": "exp of the mean KL(p(y|x) || p(y)), mean and population std over consecutive splits of randomly ordered "
    "images; on Inception the logits lack the last layer's bias",
    "precision_recall": "improved precision and recall, Euclidean, float64, as many images on both sides",
    "class_total_variation": "half the sum of absolute differences between the shares of predicted classes",
    "mean_pixel": "mean over pixels and channels, 0 black to 1 white",
    "resolution": "all images are compared at that of the generator: larger real ones are averaged down to it, each "
    "pixel the mean of a square, and rounded to uint8; where the feature network takes images of one size, all of them "
    "are enlarged to it, each pixel repeated",
    "reconstruction": "G(mean of E(x)), not quantised, beside x averaged to the generator's resolution, in [-1, 1]; "
    "l1 mean absolute, l2 root of mean squared difference per pixel and channel, averaged over images; relative: "
    "divided by that of shuffled pairs",
    "samples": "untruncated, averaged weights, quantised to uint8 before features are extracted; numbers of fewer "
    "samples than all are means over all disjoint subsets of that size",
}


def evaluate(
    model: Model,
    dataset: Dataset,
    network: FeatureNetworkModule,
    parameters: EvaluateGeneration,
    device: torch.device,
) -> Metrics:
    """Computes all metrics. The reference is the train split, the floor the test split against it.

    A test split is mostly far smaller than the number of samples, and most of these numbers depend on the count.
    Hence the samples are measured twice: all of them, and as means over disjoint subsets as large as the test
    split; the latter stand beside the floor. A model without an encoder has no reconstructions.

    Raises:
        UserError: the inputs do not belong together, or there are too few samples for a covariance.
    """
    check_inputs(model, dataset, network, parameters)
    model.networks.to(device)
    network.to(device)
    batch_size = parameters.batch_size

    z = latents(model, parameters.samples, parameters.seed)
    batches = sample_batches(model, z, batch_size, device)
    samples = extract(network, _bar(batches, "samples", parameters.samples, batch_size), device)
    size = generated_size(model)
    order = _order(dataset.train, len(dataset.train), parameters)
    train = _features(network, dataset.train, order, size, batch_size, device)

    keys = Keys(network.name, parameters.precision_recall_neighbours)
    values, absent = compare(samples, "samples", train, network.target, keys, parameters)
    values[keys.mean_pixel(f"train{len(train)}")] = float(train.mean_pixels.mean())
    order = _order(dataset.test, min(len(dataset.test), parameters.samples), parameters)
    if len(order) == 0:
        absent["floor"] = "the test split is empty"
    else:
        test = _features(network, dataset.test, order, size, batch_size, device)
        floor, floor_absent = compare(test, "test", train, network.target, keys, parameters)
        alike, alike_absent = _mean_of_subsets(samples, len(test), train, network.target, keys, parameters)
        # First the means: with one subset alone they are the same numbers under the same keys.
        values = {**alike, **values, **floor}
        absent = {**alike_absent, **absent, **floor_absent}
    encoder = model.networks.encoder
    if encoder is None:
        absent |= _without_reconstruction("the model has no encoder", network, len(order), keys)
    elif len(order) < 2:
        absent |= _without_reconstruction("the test split has fewer than two images", network, len(order), keys)
    else:
        values |= _reconstruction(model, encoder, network, dataset.test, order, test, keys, batch_size, device)
    counts = {"samples": len(samples), "train": len(train), "test": len(order)}
    return Metrics(values, _protocol(dataset, size, network, parameters, counts, absent))


def save_pictures(
    directory: Path, model: Model, dataset: Dataset, parameters: EvaluateGeneration, device: torch.device
) -> None:
    """Writes samples.png, reconstructions.png and interpolations.png, of the first samples and test images.

    Where there are fewer than two test images, train images take their place. Without an encoder there are no
    reconstructions, and the interpolations lie between samples.
    """
    count = parameters.sheet_images
    rows = max(1, count // parameters.interpolation_steps)
    model.networks.to(device)
    z = latents(model, parameters.samples, parameters.seed)
    save_samples(directory / "samples.png", model, z[:count], device)
    interpolations, steps = directory / "interpolations.png", parameters.interpolation_steps
    encoder = model.networks.encoder
    if encoder is None:
        save_interpolations_of_samples(interpolations, model, z[: 2 * rows], steps, device)
        return
    split = dataset.test if len(dataset.test) >= 2 else dataset.train
    images = split.images(_order(split, min(len(split), count), parameters))
    save_reconstructions(directory / "reconstructions.png", model, encoder, images[: max(1, count // 2)], device)
    save_interpolations(interpolations, model, encoder, images[: 2 * rows], steps, device)


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


def _order(split: Split, count: int, parameters: EvaluateGeneration) -> np.ndarray:
    """`count` indices of the split in random order, without repetition."""
    return np.random.default_rng(parameters.seed).permutation(len(split))[:count]


def _features(
    network: FeatureNetworkModule, split: Split, order: np.ndarray, size: int, batch_size: int, device: torch.device
) -> Features:
    batches = (averaged(images, size) for images in split_batches(split, order, batch_size))
    return extract(network, _bar(batches, "real images", len(order), batch_size), device)


def _bar(batches: Iterable[np.ndarray], what: str, images: int, batch_size: int) -> Iterable[np.ndarray]:
    return tqdm(batches, desc=what, unit="batch", total=-(-images // batch_size))


def _mean_of_subsets(
    samples: Features, size: int, train: Features, target: str, keys: Keys, parameters: EvaluateGeneration
) -> tuple[dict[str, float], dict[str, str]]:
    """`compare` for each disjoint subset of `size` samples, averaged by key."""
    starts = range(0, len(samples) - size + 1, size)
    bar = tqdm(starts, desc="subsets of samples", unit="subset")
    results = [compare(samples[start : start + size], "samples", train, target, keys, parameters) for start in bar]
    first_values, first_absent = results[0]
    return {key: float(np.mean([values[key] for values, _ in results])) for key in first_values}, first_absent


def _without_reconstruction(reason: str, network: FeatureNetworkModule, images: int, keys: Keys) -> dict[str, str]:
    """The reason, by the key of each number that there would be."""
    absent = [keys.reconstruction(error.name, f"test{images}") for error in fields(Errors)]
    if network.target == "labels":
        absent.append(keys.same_class(f"test{images}"))
    return dict.fromkeys(absent, reason)


def _reconstruction(
    model: Model,
    encoder: Encoder,
    network: FeatureNetworkModule,
    split: Split,
    order: np.ndarray,
    features: Features,
    keys: Keys,
    batch_size: int,
    device: torch.device,
) -> dict[str, float]:
    originals, reconstructions, pictures = [], [], []
    with torch.no_grad():
        for images in _bar(split_batches(split, order, batch_size), "reconstructions", len(order), batch_size):
            z = encode(encoder, images, device)
            originals.append(at_size(to_float(images), generated_size(model)))
            reconstructions.append(model.networks.generator(z.to(device)).cpu())
            pictures.append(generate(model, z, device))
    errors = reconstruction_errors(torch.cat(originals), torch.cat(reconstructions))
    name = f"test{len(order)}"
    values = {keys.reconstruction(error, name): value for error, value in vars(errors).items()}
    if network.target == "labels":
        values[keys.same_class(name)] = same_class(features.logits, extract(network, pictures, device).logits)
    return values


def _protocol(
    dataset: Dataset,
    size: int,
    network: FeatureNetworkModule,
    parameters: EvaluateGeneration,
    counts: dict[str, int],
    absent: dict[str, str],
) -> dict[str, Any]:
    image = network.description["image"]
    told = ("name", "kind", "target", "feature_size", "outputs", "input", "weights_sha256", "dataset_version")
    return {
        "feature_network": {key: network.description[key] for key in told},
        "dataset_version": dataset.manifest["version"],
        "resolution": {
            "compared": size,
            "dataset": dataset.train.shards[0].shape[1],
            "feature_network": None if image is None else image["size"],
        },
        "reference_split": "train",
        "floor_split": "test",
        "counts": counts,
        "seed": parameters.seed,
        "inception_score_splits": parameters.inception_score_splits,
        "precision_recall_neighbours": parameters.precision_recall_neighbours,
        "definitions": DEFINITIONS,
        "not_measured": absent,
    }
