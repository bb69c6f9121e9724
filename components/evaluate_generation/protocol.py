"""What two runs must share for their numbers to be comparable, and what each number is."""

from typing import Any

from components.artifacts.dataset import Dataset
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.parameters import EvaluateGeneration
from components.evaluate_generation.imported_statistics import ImportedStatistics
from components.evaluate_generation.memorisation import compared_size

DEFINITIONS = {
    "frechet_distance": "squared; covariances divided by N - 1; float64; biased upwards, more so for fewer images: "
    "compare samples and test at the same count",
    "standard_error": "of the distance of all samples: delete-a-group jackknife over frechet_groups groups of them; of "
    "a mean over disjoint subsets of samples: their standard deviation (N - 1) / sqrt(number of subsets); in both the "
    "reference is taken as fixed",
    "extrapolated": "the distance to the same reference for infinitely many samples (FID infinity, Chong & Forsyth "
    "2020): a line in 1/N, at 1/N = 0, through the mean distances of sets of 1, ... and all of frechet_groups groups "
    "of samples, for each number that divides frechet_groups and gives a set twice as many images as features",
    "kernel_distance": "squared MMD, unbiased, kernel (x.y / D + 1)^3, float64; mean and population std over subsets "
    "drawn without repetition from the first pairwise_images on each side; KID where the features are Inception's",
    "score": "exp of the mean KL(p(y|x) || p(y)), mean and population std over consecutive splits of randomly ordered "
    "images; on Inception the logits lack the last layer's bias",
    "precision_recall": "improved precision and recall, Euclidean, float64, as many images on both sides, at most "
    "pairwise_images",
    "density_coverage": "Naeem et al. 2020, Euclidean, float64, the images of precision and recall",
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
    "nearer_to_train_than_test": "probability that a sample is nearer to its nearest train image than a test image is "
    "to its own (ties count half): 0.5 as unseen images, 1 all copies; Euclidean, exact, among all train images",
}

_OF_NETWORK = ("name", "kind", "target", "feature_size", "outputs", "input", "weights_sha256", "dataset_version")


def protocol(
    dataset: Dataset,
    size: int,
    network: FeatureNetworkModule,
    parameters: EvaluateGeneration,
    imported: ImportedStatistics | None,
    counts: dict[str, int],
    absent: dict[str, str],
) -> dict[str, Any]:
    """The content of protocol.json.

    Args:
        size: of the images that are compared.
        counts: of images, by what they are.
        absent: by a metric's key, why it could not be had.
    """
    image = network.description["image"]
    return {
        "feature_network": {key: network.description[key] for key in _OF_NETWORK},
        "dataset_version": dataset.manifest["version"],
        "resolution": {
            "compared": size,
            "dataset": dataset.train.shards[0].shape[1],
            "feature_network": None if image is None else image["size"],
        },
        "reference_split": "train",
        "imported_statistics": None if imported is None else {"sha256": imported.sha256},
        "floor_split": "test",
        "counts": counts,
        "seed": parameters.seed,
        "inception_score_splits": parameters.inception_score_splits,
        "precision_recall_neighbours": parameters.precision_recall_neighbours,
        "density_coverage_neighbours": parameters.density_coverage_neighbours,
        "pairwise_images": parameters.pairwise_images,
        "kernel_distance": {
            "subsets": parameters.kernel_distance_subsets,
            "subset_size": parameters.kernel_distance_subset_size,
        },
        "frechet_groups": parameters.frechet_groups,
        "memorisation": {"images": parameters.memorisation_images, "pixels_compared_at": compared_size(size)},
        "definitions": DEFINITIONS,
        "not_measured": absent,
    }
