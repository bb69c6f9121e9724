"""What two runs must share for their numbers to be comparable, and what validation selected in this one."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.artifacts.dataset import SPLITS, Dataset
from components.artifacts.parameters import EvaluateRepresentation
from components.evaluate_representation.features import STATISTICS_BATCH, VIEWS


def describe(
    dataset: Dataset,
    parameters: EvaluateRepresentation,
    labels_per_class: Sequence[int],
    selected: Mapping[str, Any],
    remarks: Sequence[str],
) -> dict[str, Any]:
    """The content of `protocol.json`. `outcomes` alone may differ between models that are compared.

    Args:
        labels_per_class: those that were possible.
        selected: the penalty by view; for few labels a list, draw by draw.
    """
    return {
        "dataset_version": dataset.manifest["version"],
        "images": {split: len(getattr(dataset, split)) for split in SPLITS},
        "classes": len(dataset.classes or ()),
        "seed": parameters.seed,
        "views": VIEWS,
        "untrained_statistics_batch": STATISTICS_BATCH,
        "linear_probe": {
            "objective": "mean cross-entropy + penalty / 2 * ||W||^2; the bias is not penalised",
            "solver": "Newton-CG to convergence, float64",
            "normalisation": "each feature to mean 0 and standard deviation 1 on train",
            "fitted_on": "train",
            "selected_by": "top-1 on validation; among equals the larger penalty",
            "penalties": sorted(set(parameters.l2_penalties)),
        },
        "few_labels": {
            "labels_per_class": list(labels_per_class),
            "draws": parameters.low_label_draws,
            "normalisation": "moments of all train images; labels of the drawn ones only",
            "selected_by": "top-1 on the whole validation split, for each draw",
            "std": "between draws, n - 1",
        },
        "knn": {
            "similarity": "cosine of the features as they are, exact",
            "vote": "majority of k; among equals the class of the nearest",
            "neighbours": parameters.neighbours,
        },
        "outcomes": {"selected_penalty": dict(selected), "remarks": list(remarks)},
    }
