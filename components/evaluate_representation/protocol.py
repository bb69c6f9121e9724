"""What two runs must share for their numbers to be comparable, and what came of it in this one."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.artifacts.dataset import SPLITS, Dataset
from components.artifacts.parameters import EvaluateRepresentation
from components.evaluate_representation.lbfgs import LAST_STEP
from components.evaluate_representation.networks import STATISTICS_BATCH, STATISTICS_BATCHES
from components.evaluate_representation.views import VIEWS


def describe(
    dataset: Dataset,
    parameters: EvaluateRepresentation,
    draws: Sequence[str],
    outcomes: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of `protocol.json`. `outcomes` alone may differ between models that are compared.

    Args:
        draws: the kinds of low-label draws that were possible.
        outcomes: what was selected, how long it took and what was remarked.
    """
    return {
        "dataset_version": dataset.manifest["version"],
        "images": {split: len(getattr(dataset, split)) for split in SPLITS},
        "classes": len(dataset.classes or ()),
        "seed": parameters.seed,
        "views": VIEWS,
        "untrained_statistics": f"of {STATISTICS_BATCHES} batches of {STATISTICS_BATCH} train images at most",
        "linear_probe": {
            "objective": "mean cross-entropy + penalty / 2 * ||W||^2; the bias is not penalised",
            "solver": f"L-BFGS, until a step promises less than {LAST_STEP:g} of the objective",
            "precision": "float64; on a GPU products in float32 and sums over images in float64",
            "normalisation": "each feature to mean 0 and standard deviation 1 on train",
            "fitted_on": "train",
            "selected_by": "top-1 on validation; among equals the larger penalty",
            "penalties": sorted(set(parameters.l2_penalties)),
            "unlike_the_paper": (
                "the paper trains the classifier by SGD on random crops and flips of train images; here it is the "
                "minimum of the objective on features of the images as they are, without augmentation"
            ),
        },
        "few_labels": {
            "draws": list(draws),
            "number_of_draws": parameters.low_label_draws,
            "normalisation": "moments of all train images; labels of the drawn ones only",
            "selected_by": "top-1 on the whole validation split, for each draw",
            "std": "between draws, n - 1",
        },
        "knn": {
            "similarity": "cosine of the features as they are, exact",
            "vote": "majority of k; among equals the class of the nearest",
            "neighbours": parameters.neighbours,
        },
        "outcomes": dict(outcomes),
    }
