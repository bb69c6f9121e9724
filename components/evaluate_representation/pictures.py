"""The two pictures of the step: the confusion matrix, and what lies near what."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_CLASSES_WITH_NUMBERS = 20
_CLASSES_WITH_NAMES = 60
_LONGEST_NAME = 14


def confusion_counts(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """How often class i (row) was taken for class j (column): N and N, int64 -> K×K, int64."""
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)


def save_confusion(path: Path, counts: np.ndarray, classes: Sequence[str], title: str) -> None:
    """Draws K×K counts as PNG: each row as fractions by shade, the counts as numbers; a row without images is empty."""
    totals = counts.sum(1, keepdims=True)
    fractions = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    size = min(16.0, max(5.0, 0.5 * len(classes) + 2.5))
    figure = Figure(figsize=(size, size * 0.92), layout="constrained", dpi=110)
    axes = figure.subplots()
    shades = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shades, ax=axes, shrink=0.8, label="fraction of the row")
    axes.set(title=title, xlabel="predicted", ylabel="class")
    if len(classes) <= _CLASSES_WITH_NAMES:
        names = [_short(name) for name in classes]
        axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 2 else 0)
        axes.set_yticks(range(len(names)), names)
    if len(classes) <= _CLASSES_WITH_NUMBERS:
        for row, column in np.argwhere(counts > 0):
            colour = "white" if fractions[row, column] > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=9)
    figure.savefig(path)


def choose_queries(labels: np.ndarray | None, images: int, count: int) -> np.ndarray:
    """Which images to show neighbours of: the first of each class, of `count` classes at most; else the first few."""
    if labels is None:
        return np.arange(min(count, images))
    _, firsts = np.unique(labels, return_index=True)
    spread = np.linspace(0, len(firsts) - 1, min(count, len(firsts))).round().astype(np.int64)
    return firsts[spread]


def save_neighbours(
    path: Path,
    queries: np.ndarray,
    neighbours: np.ndarray,
    query_names: Sequence[str] | None,
    neighbour_names: Sequence[Sequence[str]] | None,
) -> None:
    """Draws each query on the left and its nearest train images beside it, the nearest first, as PNG.

    Args:
        queries: uint8, Q×H×W×C.
        neighbours: uint8, Q×k×H×W×C.
        query_names, neighbour_names: class names, Q and Q×k; a neighbour of another class gets a red frame.
    """
    rows, columns = neighbours.shape[:2]
    caption = 0.0 if query_names is None else 0.28
    first = 1.35
    width, height = first + columns * 1.08, rows * (1.08 + caption)
    figure = Figure(figsize=(width * 0.85, (height + 0.6) * 0.85), layout="constrained", dpi=110)
    axes = figure.subplots()

    def place(image: np.ndarray, left: float, top: float, name: str, colour: str | None) -> None:
        axes.imshow(
            image[:, :, 0] if image.shape[2] == 1 else image,
            cmap="gray",
            vmin=0,
            vmax=255,
            extent=(left, left + 1, top + 1, top),
            interpolation="nearest",
        )
        if colour is not None:
            axes.add_patch(Rectangle((left, top), 1, 1, fill=False, edgecolor=colour, linewidth=2))
        axes.text(left + 0.5, top + 1.05, name, ha="center", va="top", fontsize=8, color=colour or "black")

    for row in range(rows):
        top = row * (1.08 + caption)
        own = "" if query_names is None else query_names[row]
        place(queries[row], 0, top, _short(own), None)
        for column in range(columns):
            name = "" if neighbour_names is None else neighbour_names[row][column]
            place(neighbours[row, column], first + column * 1.08, top, _short(name), "red" if name != own else None)
    axes.set_xlim(-0.05, width)
    axes.set_ylim(height, -0.05)
    axes.set_axis_off()
    axes.set_title(f"test image | its {columns} nearest train images by AvePool, cosine, nearest first", fontsize=10)
    figure.savefig(path)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
