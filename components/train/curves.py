"""The training log as one picture: losses, scores and gradient norms over steps."""

import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_PANELS = (
    ("Loss of D, by term", "discriminator/loss_"),
    ("D's mean scores, in D's steps", "discriminator/score_"),
    ("Loss of G and E, by term", "generator_encoder/loss_"),
    ("Gradient norms", "gradient_norm"),
)


def draw_curves(log: Path, picture: Path) -> None:
    """Draws `log` (as `components.train.log` writes it) as PNG."""
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    figure, axes = plt.subplots(2, 2, figsize=(12, 7), sharex=True, layout="constrained")
    for axis, (title, pattern) in zip(axes.flat, _PANELS, strict=True):
        for name in (name for name in rows[0] if pattern in name):
            axis.plot(steps, [float(row[name]) for row in rows], label=name.split("/")[-1], linewidth=1)
        axis.set_title(title)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("steps of G and E")
    figure.savefig(picture, dpi=100)
    plt.close(figure)
