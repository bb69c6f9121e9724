"""The training logs as one picture: losses, scores, accuracies, gradients, samples beside train images, weights."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from components.artifacts.training_log import FILES, read_log

_PANELS = (
    ("Loss of D, by term", "log.csv", "discriminator/loss_"),
    ("D's mean scores, in D's steps", "log.csv", "discriminator/score_"),
    ("D's accuracy, in D's steps, by term", "log.csv", "discriminator/accuracy_"),
    ("Loss of G and E, by term", "log.csv", "generator_encoder/loss_"),
    ("Gradient norms", "log.csv", "gradient_norm"),
    ("Largest singular value of each layer's raw weight", "drift.csv", "sigma/"),
    ("Samples to train images: Fréchet distance on 7×7 cells", "drift.csv", "drift/coarse_distance"),
    ("Mean pixel (0 black, 1 white)", "drift.csv", "drift/mean_pixel"),
    ("Distances among samples (1: as among train images)", "drift.csv", "diversity/"),
)
_LOGARITHMIC = ("gradient_norm", "sigma/", "drift/coarse_distance")
_NETWORKS = {"generator": "tab:blue", "encoder": "tab:orange", "discriminator": "tab:green"}


def draw_curves(logs: Path, picture: Path) -> None:
    """Draws the CSV files in the folder `logs` (`components.artifacts.training_log`) as PNG."""
    figure, axes = plt.subplots(3, 3, figsize=(17, 11), sharex=True, layout="constrained")
    rows = {name: read_log(logs / name) for name in FILES}
    for axis, (title, name, pattern) in zip(axes.flat, _PANELS, strict=True):
        curves = _curves(rows[name], pattern)
        if pattern == "sigma/":
            _draw_by_network(axis, curves)
        else:
            for key, (steps, values) in curves.items():
                axis.plot(steps, values, label=key.replace("/", ": ").replace("_", " "), linewidth=1)
        if pattern in _LOGARITHMIC:
            axis.set_yscale("log")
        axis.set_title(title, fontsize=11)
        axis.grid(alpha=0.3)
        if axis.has_data():
            axis.legend(fontsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("steps of G and E")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def _draw_by_network(axis: Axes, curves: dict[str, tuple[list[float], list[float]]]) -> None:
    """A thin line per layer, coloured by network: what counts is whether one of them leaves the bundle."""
    for network, colour in _NETWORKS.items():
        layers = [curve for key, curve in curves.items() if key.startswith(f"sigma/{network}.")]
        for index, (steps, values) in enumerate(layers):
            axis.plot(steps, values, color=colour, linewidth=0.6, label=network if index == 0 else None)


def _curves(rows: list[dict[str, float]], pattern: str) -> dict[str, tuple[list[float], list[float]]]:
    steps = [row["step"] for row in rows]
    return {key: (steps, [row[key] for row in rows]) for first in rows[:1] for key in first if pattern in key}
