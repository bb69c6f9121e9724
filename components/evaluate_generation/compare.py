"""All metrics of one set of images against the train images."""

from components.artifacts.parameters import EvaluateGeneration
from components.evaluate_generation.class_histogram import class_histogram, total_variation
from components.evaluate_generation.features import Features
from components.evaluate_generation.inception_score import divergences, inception_score
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.precision_recall import coverage, manifold
from components.measures.frechet_distance import frechet_distance, moments


def compare(
    candidate: Features, kind: str, train: Features, target: str, keys: Keys, parameters: EvaluateGeneration
) -> tuple[dict[str, float], dict[str, str]]:
    """Measures `candidate`, images of a `kind` (samples or test), against `train`; both in random order.

    Args:
        target: what the logits stand for; see the feature network artifact.

    Returns:
        The numbers by key; and by key, why a number could not be had.
    """
    values: dict[str, float] = {}
    absent: dict[str, str] = {}
    name, reference = f"{kind}{len(candidate)}", f"train{len(train)}"

    size = candidate.features.shape[1]
    if min(len(candidate), len(train)) > size:
        values[keys.distance(name, reference)] = frechet_distance(moments(candidate.features), moments(train.features))
    else:
        absent[keys.distance(name, reference)] = f"{size} features need more than {size} images on both sides"

    if target == "rotations":
        absent[keys.score(name, "mean")] = "the feature network tells rotations apart, not kinds of images"
    elif len(candidate) < parameters.inception_score_splits:
        absent[keys.score(name, "mean")] = f"fewer images than {parameters.inception_score_splits} splits"
    else:
        mean, deviation = inception_score(divergences(candidate.logits, parameters.inception_score_splits))
        values[keys.score(name, "mean")] = mean
        values[keys.score(name, "std")] = deviation

    count = min(len(candidate), len(train))
    sides = f"{kind}{count}", f"train{count}"
    if count > parameters.precision_recall_neighbours:
        fake, real = candidate.features[:count], train.features[:count]
        neighbours = parameters.precision_recall_neighbours
        values[keys.precision(*sides)] = coverage(fake, manifold(real, neighbours))
        values[keys.recall(*sides)] = coverage(real, manifold(fake, neighbours))
    else:
        reason = f"{parameters.precision_recall_neighbours} neighbours need more images on both sides"
        absent[keys.precision(*sides)] = absent[keys.recall(*sides)] = reason

    if target == "labels":
        values[keys.total_variation(name, reference)] = total_variation(
            class_histogram(candidate.logits), class_histogram(train.logits)
        )
    values[keys.mean_pixel(name)] = float(candidate.mean_pixels.mean())
    return values, absent
