"""One view, measured: the linear probe, the probe with few labels, kNN. Each gives values under their metrics' keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.dataset import Dataset, Split
from components.evaluate_representation.knn import nearest, vote
from components.evaluate_representation.probe import Probe, Selection, select, top_k_hits
from components.evaluate_representation.rows import Rows
from components.evaluate_representation.views import View


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

    @property
    def tops(self) -> tuple[int, ...]:
        """The k of top-k that say something: 5 only among more than 5 classes."""
        return (1, 5) if len(self.train.unique()) > 5 else (1,)


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
    accuracies, predictions = _measure(selection.probe, view.test, labels)
    values = {f"linear_top{k}_{name}_test": accuracy for k, accuracy in accuracies.items()}
    return LinearProbe(values, selection, predictions)


def few_labels(
    name: str, view: View, labels: Labels, kind: str, draws: Sequence[np.ndarray], penalties: Sequence[float]
) -> FewLabels:
    """The linear probe on some train images only, for each draw of them. `view` is standardised by all of train.

    Args:
        kind, draws: an entry of `low_label.Draws`.
    """
    measured, chosen = [], []
    for indices in draws:
        picked = labels.train[torch.as_tensor(indices, device=labels.train.device)]
        selection = select(
            view.train.at(indices), picked, view.validation, labels.validation, penalties, labels.classes
        )
        measured.append(_measure(selection.probe, view.test, labels)[0])
        chosen.append(selection.penalty)
    values = {}
    for k in labels.tops:
        accuracies = [accuracy[k] for accuracy in measured]
        values[f"linear_top{k}_{name}_{kind}_test_mean"] = float(np.mean(accuracies))
        if len(accuracies) > 1:
            values[f"linear_top{k}_{name}_{kind}_test_std"] = float(np.std(accuracies, ddof=1))
    return FewLabels(values, chosen)


def neighbours(name: str, view: View, labels: Labels, ks: Sequence[int]) -> Mapping[str, float]:
    """kNN for every k, on the features as they are."""
    if not ks:
        return {}
    found = labels.train[nearest(view.test, view.train, max(ks))]
    hits = {k: vote(found, k, labels.classes) == labels.test for k in ks}
    return {f"knn{k}_top1_{name}_test": hit.double().mean().item() for k, hit in hits.items()}


def _measure(probe: Probe, test: Rows, labels: Labels) -> tuple[dict[int, float], Tensor]:
    """Top-k accuracies by k, and the predicted classes."""
    hits: dict[int, list[Tensor]] = {k: [] for k in labels.tops}
    predictions = []
    for part, chunk in test.chunks(numbers_a_row=labels.classes):
        scores = probe.scores(chunk)
        predictions.append(scores.argmax(1))
        for k, found in hits.items():
            found.append(top_k_hits(scores, labels.test[part], k))
    return {k: torch.cat(found).double().mean().item() for k, found in hits.items()}, torch.cat(predictions)
