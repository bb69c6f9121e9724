"""All metrics of one set of images at once: each number must be the one that its key names."""

from dataclasses import replace

import torch
from torch import Tensor

from components.artifacts.parameters import EvaluateGeneration
from components.evaluate_generation.compare import compare
from components.evaluate_generation.features import Features
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.reference import Reference
from components.measures.frechet_distance import moments


def features_of(kinds: Tensor, centres: Tensor, spread: float, generator: torch.Generator) -> Features:
    """Images of the given kinds: features around the kind's centre, logits that are certain of it."""
    features = centres[kinds] + spread * torch.randn(len(kinds), centres.shape[1], generator=generator)
    logits = 1000.0 * torch.nn.functional.one_hot(kinds, len(centres))
    return Features(features, logits, torch.zeros(len(kinds), dtype=torch.float64))


def reference_of(features: Features) -> Reference:
    counts = features.logits.argmax(1).bincount(minlength=features.logits.shape[1])
    return Reference(moments(features.features), counts, float(features.mean_pixels.mean()), features.features)


def test_direction_mode_collapse(parameters: EvaluateGeneration) -> None:
    generator = torch.Generator().manual_seed(0)
    centres = 50 * torch.randn(10, 5, generator=generator)
    train = features_of(torch.arange(10).repeat(30), centres, 1.0, generator)
    held_out = features_of(torch.arange(10).repeat(20), centres, 1.0, generator)
    collapsed = features_of(torch.zeros(200, dtype=torch.int64), centres, 0.5, generator)
    keys = Keys("classifier", parameters.precision_recall_neighbours, parameters.density_coverage_neighbours)

    parameters = replace(parameters, pairwise_images=300)
    floor, _ = compare(held_out, "test", reference_of(train), None, "labels", keys, parameters)
    values, absent = compare(collapsed, "samples", reference_of(train), None, "labels", keys, parameters)
    assert not absent
    assert values["precision_classifier_k3_samples200_train200"] > 0.9
    assert values["recall_classifier_k3_samples200_train200"] < 0.1
    assert values["density_classifier_k5_samples200_train200"] > 1
    assert values["coverage_classifier_k5_samples200_train200"] < 0.2
    assert floor["coverage_classifier_k5_test200_train200"] > 0.9
    assert values["fd_classifier_samples200_train300"] > 100 * floor["fd_classifier_test200_train300"]
    assert values["class_total_variation_classifier_samples200_train300"] > 0.89
    assert values["score_classifier_samples200_mean"] < 1.01
    assert floor["score_classifier_test200_mean"] > 9.9
    assert floor["class_total_variation_classifier_test200_train300"] < 1e-9
    assert min(floor[keys.precision("test200", "train200")], floor[keys.recall("test200", "train200")]) > 0.8
