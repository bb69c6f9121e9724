"""A dataset of bright bars, toy models and a feature network, small enough for milliseconds."""

from typing import Any

import numpy as np
import torch

from components.artifacts.dataset import Dataset, Split
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.feature_network.classifier import INPUT, Classifier
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from components.artifacts.ranks import Ranks
from components.bigbigan.build import build_networks

ALONE = Ranks(0, 1, torch.device("cpu"))
PARAMETERS = EvaluateGeneration(
    seed=0,
    samples=50,
    inception_score_splits=2,
    precision_recall_neighbours=3,
    density_coverage_neighbours=5,
    pairwise_images=50,
    kernel_distance_subsets=4,
    kernel_distance_subset_size=10,
    frechet_groups=4,
    memorisation_images=12,
    batch_size=16,
    sheet_images=8,
    interpolation_steps=3,
)


def _split(count: int, seed: int, size: int) -> Split:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, size, size, 1), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int64) % 2
    for image, label in zip(images, labels, strict=True):
        image[1:3, size // 2 * label : size // 2 * (label + 1)] = 255
    return Split([images] if count else [], labels)


def make_dataset(train: int = 60, test: int = 20, size: int = 8) -> Dataset:
    splits = _split(train, 0, size), _split(8, 1, size), _split(test, 2, size)
    return Dataset({"classes": ["left", "right"], "version": "v1"}, *splits)


def make_network(name: str = "classifier", image_size: int = 8) -> FeatureNetworkModule:
    target = {"classifier": "labels", "rotations": "rotations", "inception": "imagenet"}[name]
    description = {
        "format": "test",
        "kind": "trained",
        "name": name,
        "target": target,
        "feature_size": 5,
        "outputs": 3,
        "classes": None,
        "image": {"size": image_size, "channels": 1},
        "channels": 4,
        "input": INPUT,
        "dataset_version": "v1",
        "validation_accuracy": None,
        "validation_images": 0,
        "weights_sha256": "0" * 64,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FeatureNetworkModule(Classifier(image_size, 1, 4, 5, 3), description)


def make_model(config: dict[str, Any]) -> Model:
    return Model(build_networks(config, seed=0).eval().requires_grad_(False), config, {})
