"""The training log as one picture: losses, scores, gradient norms and drift over steps."""

import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_PANELS = (
    ("Loss of D, by term", "log.csv", "discriminator/loss_"),
    ("D's mean scores, in D's steps", "log.csv", "discriminator/score_"),
    ("Loss of G and E, by term", "log.csv", "generator_encoder/loss_"),
    ("Gradient norms", "log.csv", "gradient_norm"),
    ("Samples to train images: Fréchet distance on 7×7 cells", "drift.csv", "drift/coarse_distance"),
    ("Mean pixel (0 black, 1 white)", "drift.csv", "drift/mean_pixel"),
)


def draw_curves(logs: Path, picture: Path) -> None:
    """Draws the CSV files in the folder `logs` (as `components.train.log` writes them) as PNG."""
    figure, axes = plt.subplots(3, 2, figsize=(12, 10), sharex=True, layout="constrained")
    for axis, (title, name, pattern) in zip(axes.flat, _PANELS, strict=True):
        for key, (steps, values) in _curves(logs / name, pattern).items():
            axis.plot(steps, values, label=key.replace("/", ": "), linewidth=1)
        axis.set_title(title)
        axis.grid(alpha=0.3)
        if axis.has_data():
            axis.legend(fontsize=7)
    axes[2][0].set_yscale("log")
    for axis in axes[-1]:
        axis.set_xlabel("steps of G and E")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def _curves(log: Path, pattern: str) -> dict[str, tuple[list[int], list[float]]]:
    if not log.exists():
        return {}
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    return {key: (steps, [float(row[key]) for row in rows]) for key in rows[0] if pattern in key}
