"""Accuracy class by class: a table of all views, and a picture of one."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

_BARS = 60
_LONGEST_NAME = 24


def class_accuracies(counts: np.ndarray) -> np.ndarray:
    """The share of each class (row) that was taken for itself: K×K counts -> K, NaN for a class without images."""
    totals = counts.sum(1)
    return np.divide(counts.diagonal(), totals, out=np.full(len(counts), np.nan), where=totals > 0)


def write_per_class(path: Path, counts: Mapping[str, np.ndarray], classes: Sequence[str]) -> None:
    """A line per class: its name, its images, and for each view the accuracy; empty where there are no images.

    Args:
        counts: confusion counts K×K by view, all of the same images.
    """
    images = next(iter(counts.values())).sum(1)
    accuracies = {view: class_accuracies(own) for view, own in counts.items()}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "test_images", *accuracies])
        for index, name in enumerate(classes):
            cells = (own[index] for own in accuracies.values())
            writer.writerow([name, images[index], *("" if np.isnan(cell) else f"{cell:.6g}" for cell in cells)])


def save_per_class(path: Path, accuracies: np.ndarray, classes: Sequence[str], title: str) -> None:
    """Draws a bar per class as PNG, the worst first; of many classes, the worst and the best.

    Args:
        accuracies: K, in [0, 1]; NaN for a class that has no image, which gets no bar.
    """
    order = [index for index in np.argsort(accuracies, kind="stable") if not np.isnan(accuracies[index])]
    shown, half = order, _BARS // 2
    if len(order) > _BARS:
        shown = order[:half] + order[-half:]
        title += f"\nthe {half} worst and the {half} best of {len(order)} classes"
    figure = Figure(figsize=(8, max(2.5, 0.24 * len(shown) + 1.2)), layout="constrained", dpi=110)
    axes = figure.subplots()
    positions = np.arange(len(shown), dtype=float)
    if len(order) > _BARS:
        positions[half:] += 1
    axes.barh(positions, 100 * accuracies[shown], color="tab:blue")
    axes.set_yticks(positions, [_short(classes[index]) for index in shown], fontsize=8)
    axes.axvline(100 * float(np.nanmean(accuracies)), color="black", linewidth=1, linestyle="--")
    axes.set(title=title, xlabel="% of the class's test images; dashed: mean over classes", xlim=(0, 100))
    axes.invert_yaxis()
    axes.margins(y=0.01)
    figure.savefig(path)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
