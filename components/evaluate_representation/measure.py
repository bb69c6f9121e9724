"""One view, measured: the linear probe, the probe with few labels, kNN. Each gives values under their metrics' keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.dataset import Dataset, Split
from components.evaluate_representation.features import View
from components.evaluate_representation.knn import nearest, vote
from components.evaluate_representation.probe import Selection, select, top_k_accuracy


@dataclass(frozen=True)
class Labels:
    """Class numbers of the three splits, int64, in [0, classes)."""

    train: Tensor
    validation: Tensor
    test: Tensor
    classes: int

    @classmethod
    def of(cls, dataset: Dataset, names: Sequence[str], device: torch.device) -> "Labels":
        def numbers(split: Split) -> Tensor:
            return torch.as_tensor(np.asarray(split.labels, dtype=np.int64), device=device)

        return cls(numbers(dataset.train), numbers(dataset.validation), numbers(dataset.test), len(names))


@dataclass(frozen=True)
class LinearProbe:
    """`predictions` are the class numbers of the test split, N."""

    values: dict[str, float]
    selection: Selection
    predictions: Tensor


@dataclass(frozen=True)
class FewLabels:
    """`penalties` are what validation chose, draw by draw."""

    values: dict[str, float]
    penalties: list[float]


def linear_probe(name: str, view: View, labels: Labels, penalties: Sequence[float]) -> LinearProbe:
    """Fitted on train, selected on validation, measured on test. `view` is standardised."""
    selection = select(view.train, labels.train, view.validation, labels.validation, penalties, labels.classes)
    scores = selection.probe.scores(view.test)
    values = {f"linear_top1_{name}_test": top_k_accuracy(scores, labels.test, 1)}
    if len(labels.train.unique()) > 5:
        values[f"linear_top5_{name}_test"] = top_k_accuracy(scores, labels.test, 5)
    return LinearProbe(values, selection, scores.argmax(1))


def few_labels(
    name: str, view: View, labels: Labels, per_class: int, draws: Sequence[np.ndarray], penalties: Sequence[float]
) -> FewLabels:
    """The linear probe on some train images only, for each draw of them. `view` is standardised by all of train.

    Args:
        draws: indices of train images, as `low_label.draw` gives them.
    """
    top1, chosen = [], []
    for indices in draws:
        picked = torch.as_tensor(indices, device=view.train.device)
        selection = select(
            view.train[picked], labels.train[picked], view.validation, labels.validation, penalties, labels.classes
        )
        top1.append(top_k_accuracy(selection.probe.scores(view.test), labels.test, 1))
        chosen.append(selection.penalty)
    key = f"linear_top1_{name}_{per_class}_per_class_test"
    values = {f"{key}_mean": float(np.mean(top1))}
    if len(top1) > 1:
        values[f"{key}_std"] = float(np.std(top1, ddof=1))
    return FewLabels(values, chosen)


def neighbours(name: str, view: View, labels: Labels, ks: Sequence[int]) -> Mapping[str, float]:
    """kNN for every k, on the features as they are."""
    found = labels.train[nearest(view.test, view.train, max(ks))]
    hits = {k: vote(found, k, labels.classes) == labels.test for k in ks}
    return {f"knn{k}_top1_{name}_test": hit.double().mean().item() for k, hit in hits.items()}
