"""The step: features -> linear probe, few labels, kNN -> metrics and pictures.

Labels come from the dataset alone. Probes are fitted on train and selected on validation; test is only measured.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from components.artifacts.dataset import SPLITS, Dataset
from components.artifacts.errors import UserError
from components.artifacts.files import new_directory
from components.artifacts.metrics import Metrics, write_metrics
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateRepresentation
from components.bigbigan.encoder.encoder import Encoder
from components.evaluate_representation.features import View, compute_views, encode
from components.evaluate_representation.knn import nearest
from components.evaluate_representation.low_label import draw, smallest_class
from components.evaluate_representation.measure import Labels, LinearProbe, few_labels, linear_probe, neighbours
from components.evaluate_representation.pictures import (
    choose_queries,
    confusion_counts,
    save_confusion,
    save_neighbours,
)
from components.evaluate_representation.probe import Selection, standardise
from components.evaluate_representation.protocol import describe
from components.evaluate_representation.table import format_table

TRAINED_VIEWS = ("avepool", "bn_crelu", "mu")
FEW_LABELS_VIEWS = ("avepool", "bn_crelu", "pixels")
SHOWN_QUERIES, SHOWN_NEIGHBOURS = 10, 8


def evaluate(model: Model, dataset: Dataset, parameters: EvaluateRepresentation, output: Path) -> list[str]:
    """Measures, and writes metrics and pictures to `output`. Returns plain lines for the terminal.

    Without an encoder there is nothing to measure: the metrics are empty and say so, and there are no pictures.

    Raises:
        UserError: the images are of another shape than the model's, a split is empty, or the features are not finite.
    """
    encoder = model.networks.encoder
    if encoder is None:
        return [_skip_all("the model has no encoder", output)]
    _check(model.config["image"], dataset)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    reason = _reason_to_skip(dataset)
    if reason:
        return [_skip_accuracies(reason, encoder, dataset, parameters, output, device)]

    names = dataset.classes or []
    labels = Labels.of(dataset, names, device)
    views = compute_views(encoder, model.config, dataset, parameters.batch_size, parameters.seed, device)
    draws, remarks = _draws(labels.train.cpu().numpy(), parameters)
    counts = [k for k in parameters.neighbours if k <= len(dataset.train)]
    remarks += [
        f"skipped kNN with k = {k} (evaluate_representation.neighbours): train has {len(dataset.train)} images"
        for k in parameters.neighbours
        if k not in counts
    ]
    values: dict[str, float] = {}
    selected: dict[str, Any] = {}
    probes: dict[str, LinearProbe] = {}
    for name, view in (bar := tqdm(views.items(), desc="probe and kNN", unit="view")):
        bar.set_postfix_str(name)
        standardised = standardise(view)
        probes[name] = linear_probe(name, standardised, labels, parameters.l2_penalties)
        values |= probes[name].values
        selected[name] = probes[name].selection.penalty
        remarks += _doubts(name, probes[name].selection)
        for per_class, indices in draws.items() if name in FEW_LABELS_VIEWS else ():
            few = few_labels(name, standardised, labels, per_class, indices, parameters.l2_penalties)
            values |= few.values
            selected[f"{name}_{per_class}_per_class"] = few.penalties
        values |= neighbours(name, view, labels, counts)

    protocol = describe(dataset, parameters, list(draws), selected, remarks)
    with new_directory(output, known_by="metrics.json") as directory:
        write_metrics(directory, Metrics(values, protocol))
        _draw_confusion(directory / "confusion.png", probes, labels, names)
        _draw_neighbours(directory / "neighbours.png", views["avepool"], dataset)
    return [*remarks, *format_table(values, list(views), list(draws), counts)]


def _skip_all(reason: str, output: Path) -> str:
    with new_directory(output, known_by="metrics.json") as directory:
        write_metrics(directory, Metrics({}, {"skipped": reason}))
    return f"skipped the linear probe, kNN and the pictures: {reason}"


def _skip_accuracies(
    reason: str,
    encoder: Encoder,
    dataset: Dataset,
    parameters: EvaluateRepresentation,
    output: Path,
    device: torch.device,
) -> str:
    avepool, _ = encode(encoder, dataset, parameters.batch_size, device, "trained encoder")
    with new_directory(output, known_by="metrics.json") as directory:
        write_metrics(directory, Metrics({}, {"skipped": reason}))
        _draw_neighbours(directory / "neighbours.png", avepool, dataset)
    return f"skipped the linear probe and kNN: {reason}; neighbours.png shows which images lie near each other"


def _draws(labels: np.ndarray, parameters: EvaluateRepresentation) -> tuple[dict[int, list[np.ndarray]], list[str]]:
    """The low-label draws, by labels per class. What the smallest class has too few images for is left out, aloud."""
    available = smallest_class(labels)
    possible = [count for count in parameters.labels_per_class if count <= available]
    draws = {
        count: [draw(labels, count, parameters.seed, n) for n in range(parameters.low_label_draws)]
        for count in possible
    }
    remarks = [
        f"skipped {count} labels a class (evaluate_representation.labels_per_class): "
        f"the smallest class has {available} train images"
        for count in parameters.labels_per_class
        if count > available
    ]
    return draws, remarks


def _doubts(name: str, selection: Selection) -> list[str]:
    doubts = [
        f"warning: the probe on {name} with penalty {penalty:g} was stopped before it had converged"
        for penalty in selection.unconverged
    ]
    if selection.at_edge:
        doubts.append(
            f"warning: the penalty selected for {name}, {selection.penalty:g}, is at the edge of "
            "evaluate_representation.l2_penalties: a wider list may give a better probe"
        )
    return doubts


# --------------------------------------------------------------------------------------------------- checks


def _check(image: dict[str, Any], dataset: Dataset) -> None:
    for split in SPLITS:
        if len(getattr(dataset, split)) == 0:
            remedy = "lower prepare.test_fraction" if split == "train" else f"raise prepare.{split}_fraction"
            raise UserError(f"the {split} split of the dataset is empty: add images, or {remedy}")
    expected = (image["size"], image["size"], image["channels"])
    found = dataset.train.shards[0].shape[1:]
    if found != expected:
        raise UserError(
            f"the dataset's images are {'×'.join(map(str, found))}, but the model was made for "
            f"{'×'.join(map(str, expected))} (height × width × channels): give the dataset that it was trained on"
        )


def _reason_to_skip(dataset: Dataset) -> str | None:
    if dataset.train.labels is None:
        return "the dataset has no labels"
    if len(np.unique(dataset.train.labels)) < 2:
        return "all train images are of one class"
    return None


# -------------------------------------------------------------------------------------------------- pictures


def _draw_confusion(path: Path, probes: dict[str, LinearProbe], labels: Labels, names: list[str]) -> None:
    """Of the trained view that is best on validation: chosen by test, it would flatter."""
    best = max(TRAINED_VIEWS, key=lambda name: max(probes[name].selection.validation_top1.values()))
    counts = confusion_counts(labels.test.cpu().numpy(), probes[best].predictions.cpu().numpy(), len(names))
    accuracy = 100 * counts.trace() / counts.sum()
    save_confusion(path, counts, names, f"linear probe on {best}: {accuracy:.1f} % of {counts.sum()} test images")


def _draw_neighbours(path: Path, avepool: View, dataset: Dataset) -> None:
    train, test = dataset.train, dataset.test
    queries = choose_queries(test.labels, len(test), SHOWN_QUERIES)
    found = nearest(avepool.test[queries], avepool.train, min(SHOWN_NEIGHBOURS, len(train))).cpu().numpy()
    images = train.images(found.ravel())
    save_neighbours(
        path,
        test.images(queries),
        images.reshape(*found.shape, *images.shape[1:]),
        _names(dataset.classes, test.labels, queries),
        _names(dataset.classes, train.labels, found),
    )


def _names(classes: list[str] | None, labels: np.ndarray | None, indices: np.ndarray) -> Any:
    if classes is None or labels is None:
        return None
    return np.asarray(classes, dtype=object)[labels[indices]].tolist()
