"""All metrics of one set of images against the reference."""

from components.artifacts.parameters import EvaluateGeneration
from components.evaluate_generation.class_histogram import class_histogram, total_variation
from components.evaluate_generation.density_coverage import density_coverage
from components.evaluate_generation.features import Features
from components.evaluate_generation.imported_statistics import ImportedStatistics
from components.evaluate_generation.inception_score import divergences, inception_score
from components.evaluate_generation.kernel_distance import kernel_distances
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.neighbourhoods import neighbourhoods
from components.evaluate_generation.precision_recall import precision, recall
from components.evaluate_generation.reference import Reference
from components.measures.frechet_distance import frechet_distance, moments

# Numbers by key; and by key, why a number could not be had.
Numbers = tuple[dict[str, float], dict[str, str]]


def compare(
    candidate: Features,
    kind: str,
    reference: Reference,
    imported: ImportedStatistics | None,
    target: str,
    keys: Keys,
    parameters: EvaluateGeneration,
) -> Numbers:
    """Measures `candidate`, images of a `kind` (samples or test), against the reference; both in random order.

    Args:
        target: what the logits stand for; see the feature network artifact.
    """
    name, train = f"{kind}{len(candidate)}", f"train{len(reference)}"
    values, absent = _distances(candidate, name, train, reference, imported, keys)
    for more, missing in (
        _kernel_distance(candidate, kind, reference, keys, parameters),
        _score(candidate, name, target, keys, parameters),
        _neighbours(candidate, kind, reference, keys, parameters),
    ):
        values |= more
        absent |= missing
    if target == "labels":
        values[keys.total_variation(name, train)] = total_variation(
            class_histogram(candidate.logits), reference.class_shares
        )
    values[keys.mean_pixel(name)] = float(candidate.mean_pixels.mean())
    return values, absent


def _distances(
    candidate: Features,
    name: str,
    train: str,
    reference: Reference,
    imported: ImportedStatistics | None,
    keys: Keys,
) -> Numbers:
    values: dict[str, float] = {}
    absent: dict[str, str] = {}
    size = candidate.features.shape[1]
    reason = f"{size} features need more than {size} images on both sides"
    enough = len(candidate) > size
    own = moments(candidate.features) if enough else None
    if own and len(reference) > size:
        values[keys.distance(name, train)] = frechet_distance(own, reference.moments)
    else:
        absent[keys.distance(name, train)] = reason
    if imported and own:
        values[keys.distance(name, "imported")] = frechet_distance(own, imported.moments)
    elif imported:
        absent[keys.distance(name, "imported")] = reason
    return values, absent


def _kernel_distance(
    candidate: Features, kind: str, reference: Reference, keys: Keys, parameters: EvaluateGeneration
) -> Numbers:
    fake = candidate.features[: parameters.pairwise_images]
    sides = f"{kind}{len(fake)}", f"train{len(reference.held)}"
    size = parameters.kernel_distance_subset_size
    if min(len(fake), len(reference.held)) < size:
        return {}, {keys.kernel_distance(*sides, "mean"): f"subsets of {size} need as many images on both sides"}
    found = kernel_distances(fake, reference.held, parameters.kernel_distance_subsets, size, parameters.seed)
    return {
        keys.kernel_distance(*sides, "mean"): float(found.mean()),
        keys.kernel_distance(*sides, "std"): float(found.std(correction=0)),
    }, {}


def _score(candidate: Features, name: str, target: str, keys: Keys, parameters: EvaluateGeneration) -> Numbers:
    if target == "rotations":
        return {}, {keys.score(name, "mean"): "the feature network tells rotations apart, not kinds of images"}
    if len(candidate) < parameters.inception_score_splits:
        return {}, {keys.score(name, "mean"): f"fewer images than {parameters.inception_score_splits} splits"}
    mean, deviation = inception_score(divergences(candidate.logits, parameters.inception_score_splits))
    return {keys.score(name, "mean"): mean, keys.score(name, "std"): deviation}, {}


def _neighbours(
    candidate: Features, kind: str, reference: Reference, keys: Keys, parameters: EvaluateGeneration
) -> Numbers:
    """Precision, recall, density and coverage, with as many images on both sides."""
    values: dict[str, float] = {}
    absent: dict[str, str] = {}
    count = min(len(candidate), len(reference.held), parameters.pairwise_images)
    fake, real = candidate.features[:count], reference.held[:count]
    sides = f"{kind}{count}", f"train{count}"
    k = parameters.precision_recall_neighbours
    if count > k:
        values[keys.precision(*sides)] = precision(fake, neighbourhoods(real, k))
        values[keys.recall(*sides)] = recall(real, neighbourhoods(fake, k))
    else:
        reason = f"{k} neighbours need more images on both sides"
        absent[keys.precision(*sides)] = absent[keys.recall(*sides)] = reason
    k = parameters.density_coverage_neighbours
    if count > k:
        density, coverage = density_coverage(fake, neighbourhoods(real, k), k)
        values[keys.density(*sides)], values[keys.coverage(*sides)] = density, coverage
    else:
        reason = f"{k} neighbours need more images on both sides"
        absent[keys.density(*sides)] = absent[keys.coverage(*sides)] = reason
    return values, absent
