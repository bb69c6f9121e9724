"""The few numbers that a person looks at first, as rows of a table, each beside what it must be compared with."""

import re
from collections.abc import Mapping

Row = tuple[str, ...]

_FEATURES = {"bn_crelu": "BN+CReLU", "avepool": "AvePool"}
_LINEAR = re.compile(r"linear_top1_(bn_crelu|avepool)_(?:(\d+)_per_class_)?test(?:_mean)?")
_NEIGHBOURS = re.compile(r"knn(\d+)_top1_(avepool)_test")
_FRECHET = re.compile(r"((?:fd|fid)_.+|fid)_samples(\d+)(_.+)?")


def representation_rows(values: Mapping[str, float]) -> list[Row]:
    """(what, trained encoder, untrained encoder, raw pixels), accuracies in percent; empty if nothing was measured."""
    few: list[tuple[int, Row]] = []
    linear: list[Row] = []
    neighbours: list[tuple[int, Row]] = []
    for key in sorted(values, reverse=True):
        if match := _LINEAR.fullmatch(key):
            features, labels = match.groups()
            label = f"linear probe, {_FEATURES[features]}"
            if labels is None:
                linear.append(_beside(label, key, features, values))
            else:
                few.append((int(labels), _beside(f"{label}, {labels} labels a class", key, features, values)))
        elif match := _NEIGHBOURS.fullmatch(key):
            row = _beside(f"kNN, k = {match[1]}, {_FEATURES[match[2]]}", key, match[2], values)
            neighbours.append((int(match[1]), row))
    return [*linear, *(row for _, row in sorted(few, reverse=True)), *(row for _, row in sorted(neighbours))]


def frechet_rows(values: Mapping[str, float]) -> list[Row]:
    """(key, generated samples, as many real held-out images); the second is the floor of the first."""
    rows: list[Row] = []
    for key in sorted(values):
        if match := _FRECHET.fullmatch(key):
            measure, count, reference = match.groups(default="")
            rows.append((key, _number(values[key]), _number(values.get(f"{measure}_test{count}{reference}"))))
    return rows


def _beside(label: str, key: str, features: str, values: Mapping[str, float]) -> Row:
    untrained = values.get(key.replace(features, f"untrained_{features}", 1))
    pixels = values.get(key.replace(features, "pixels", 1))
    return (label, _percent(values[key]), _percent(untrained), _percent(pixels))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
