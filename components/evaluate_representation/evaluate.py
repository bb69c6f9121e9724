"""The step: features -> linear probe, few labels, kNN -> metrics and pictures.

Labels come from the dataset alone. Probes are fitted on train and selected on validation; test is only measured.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from components.artifacts.dataset import SPLITS, Dataset
from components.artifacts.errors import UserError
from components.artifacts.files import new_directory
from components.artifacts.metrics import Metrics, write_metrics
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateRepresentation
from components.artifacts.ranks import Ranks
from components.evaluate_representation.all_views import obtain_views
from components.evaluate_representation.features_file import view_of
from components.evaluate_representation.knn import nearest
from components.evaluate_representation.low_label import all_draws
from components.evaluate_representation.measure import Labels, LinearProbe, few_labels, linear_probe, neighbours
from components.evaluate_representation.networks import obtain_features, trained_encoder
from components.evaluate_representation.per_class import class_accuracies, save_per_class, write_per_class
from components.evaluate_representation.pictures import (
    choose_queries,
    confusion_counts,
    save_confusion,
    save_neighbours,
)
from components.evaluate_representation.probe import standardise
from components.evaluate_representation.protocol import describe
from components.evaluate_representation.remarks import (
    doubts,
    fewer_images_than_features,
    odd_classes,
    too_many_neighbours,
)
from components.evaluate_representation.table import format_table
from components.evaluate_representation.views import View, stored

TRAINED_VIEWS = ("avepool", "bn_crelu", "mu")
FEW_LABELS_VIEWS = ("avepool", "bn_crelu", "pixels")
SHOWN_QUERIES, SHOWN_NEIGHBOURS = 10, 8


def evaluate(
    model: Model,
    dataset: Dataset,
    parameters: EvaluateRepresentation,
    files: Mapping[str, Path],
    cache: Path,
    output: Path,
    ranks: Ranks,
) -> list[str]:
    """Measures, and writes metrics and pictures to `output`. Returns plain lines for the terminal.

    All ranks call this together and compute features; rank 0 alone measures them, and returns lines. Without an
    encoder there is nothing to measure: the metrics are empty and say so, and there are no pictures.

    Args:
        files: features of the user's, by name.
        cache: where features are kept, and taken from.

    Raises:
        UserError: the images are of another shape than the model's, a split is empty, features are not finite, or a
            file of features does not fit the dataset.
    """
    if model.networks.encoder is None:
        return [_skip_all("the model has no encoder", output)] if ranks.writes else []
    _check(model.config["image"], dataset)
    reason = _reason_to_skip(dataset)
    if reason:
        encoded, _ = obtain_features(trained_encoder(model), dataset, parameters.batch_size, cache, ranks)
        avepool = stored(encoded, "avepool-", ranks.device)
        return [_skip_accuracies(reason, avepool, dataset, output)] if ranks.writes else []

    obtained = obtain_views(model, dataset, parameters, files, cache, ranks)
    if not ranks.writes:
        return []
    views, names = obtained.views, dataset.classes or []
    labels = Labels.of(dataset, names, ranks.device)
    draws, remarks = all_draws(labels.train.cpu().numpy(), names, parameters)
    counts = [k for k in parameters.neighbours if k <= len(dataset.train)]
    remarks += [f"skipped the view {name}: {why}" for name, why in obtained.absent.items()]
    remarks += too_many_neighbours(parameters.neighbours, len(dataset.train)) + odd_classes(dataset, names)
    with_few_labels = (*FEW_LABELS_VIEWS, *map(view_of, files))
    values: dict[str, float] = {}
    selected: dict[str, Any] = {}
    probes: dict[str, LinearProbe] = {}
    for name, view in (bar := tqdm(views.items(), desc="probe and kNN", unit="view")):
        bar.set_postfix_str(name)
        remarks += fewer_images_than_features(name, view)
        standardised = standardise(view)
        probes[name] = linear_probe(name, standardised, labels, parameters.l2_penalties)
        values |= probes[name].values
        selected[name] = probes[name].selection.penalty
        remarks += doubts(name, probes[name].selection)
        for kind, indices in draws.items() if name in with_few_labels else ():
            few = few_labels(name, standardised, labels, kind, indices, parameters.l2_penalties)
            values |= few.values
            selected[f"{name}_{kind}"] = few.penalties
        values |= neighbours(name, view, labels, counts)

    outcomes = {
        "features": {name: view.train.width for name, view in views.items()},
        "selected_penalty": selected,
        "passes_over_train": {name: probe.selection.passes for name, probe in probes.items()},
        "remarks": remarks,
    }
    protocol = describe(dataset, parameters, list(draws), outcomes)
    with new_directory(output, known_by="metrics.json") as directory:
        write_metrics(directory, Metrics(values, protocol))
        _draw_probes(directory, probes, labels, names)
        _draw_neighbours(directory / "neighbours.png", views["avepool"], dataset)
    reused = [f"taken from {cache}: features of the {', '.join(obtained.reused)}"] if obtained.reused else []
    return [*reused, *remarks, *format_table(values, list(views), list(draws), counts)]


def _skip_all(reason: str, output: Path) -> str:
    with new_directory(output, known_by="metrics.json") as directory:
        write_metrics(directory, Metrics({}, {"skipped": reason}))
    return f"skipped the linear probe, kNN and the pictures: {reason}"


def _skip_accuracies(reason: str, avepool: View, dataset: Dataset, output: Path) -> str:
    with new_directory(output, known_by="metrics.json") as directory:
        write_metrics(directory, Metrics({}, {"skipped": reason}))
        _draw_neighbours(directory / "neighbours.png", avepool, dataset)
    return f"skipped the linear probe and kNN: {reason}; neighbours.png shows which images lie near each other"


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


def _draw_probes(directory: Path, probes: dict[str, LinearProbe], labels: Labels, names: list[str]) -> None:
    """Both pictures are of the trained view that is best on validation: chosen by test, it would flatter."""
    best = max(TRAINED_VIEWS, key=lambda name: max(probes[name].selection.validation_top1.values()))
    truth = labels.test.cpu().numpy()
    counts = {
        view: confusion_counts(truth, probe.predictions.cpu().numpy(), len(names)) for view, probe in probes.items()
    }
    accuracy = 100 * counts[best].trace() / counts[best].sum()
    title = f"linear probe on {best}: {accuracy:.1f} % of {counts[best].sum()} test images"
    save_confusion(directory / "confusion.png", counts[best], names, title)
    save_per_class(directory / "per_class.png", class_accuracies(counts[best]), names, title)
    write_per_class(directory / "per_class.csv", counts, names)


def _draw_neighbours(path: Path, avepool: View, dataset: Dataset) -> None:
    train, test = dataset.train, dataset.test
    queries = choose_queries(test.labels, len(test), SHOWN_QUERIES)
    found = nearest(avepool.test.at(queries), avepool.train, min(SHOWN_NEIGHBOURS, len(train))).cpu().numpy()
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
