"""Which curves of the training log are shown, and how its signs are told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.report.chart import Chart, Points, draw

Rows = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class _Panel:
    """`column`: what the columns' names fit; its group is the curve's name in the legend, shared by several curves."""

    title: str
    unit: str
    file: str
    column: str
    logarithmic: bool = False


_PANELS = (
    _Panel("Loss of D, by term", "loss", "log.csv", r"discriminator/loss_(.+)"),
    _Panel("Loss of G and E, by term", "loss", "log.csv", r"generator_encoder/loss_(.+)"),
    _Panel("D's accuracy in its own steps", "share that D tells apart", "log.csv", r"discriminator/accuracy_(.+)"),
    _Panel(
        "Distance of samples to train images", "Fréchet, on 7×7 cells", "drift.csv", r"drift/coarse_(distance)", True
    ),
    _Panel("Diversity of samples", "1: as diverse as train images", "drift.csv", r"diversity/(.+)"),
    _Panel("Mean pixel", "0 black, 1 white", "drift.csv", r"drift/mean_pixel_(.+)"),
    _Panel("What G(E(x)) and E(G(z)) lose", "1: as of unrelated pairs", "inversion.csv", r"inversion/(.+)_relative_l."),
    _Panel("Gradient norms", "norm", "log.csv", r"(discriminator|generator_encoder)/gradient_norm", True),
    _Panel("Largest singular value of each layer", "of the raw weight", "drift.csv", r"sigma/(\w+)\..+", True),
)
_NAMES = {
    "discriminator": "D",
    "generator": "G",
    "encoder": "E",
    "generator_encoder": "G and E",
    "distance": "samples",
    "generated": "samples",
    "train": "train images",
    "image": "images",
    "latent": "latents",
}


def charts(logs: Mapping[str, Rows]) -> list[Chart]:
    """Those for which something was logged."""
    drawn = (
        draw(panel.title, panel.unit, _curves(logs.get(panel.file, ()), panel.column), panel.logarithmic)
        for panel in _PANELS
    )
    return [chart for chart in drawn if chart is not None]


def _curves(rows: Rows, pattern: str) -> dict[str, list[Points]]:
    curves: dict[str, list[Points]] = {}
    for column in rows[0] if rows else ():
        if match := re.fullmatch(pattern, column):
            name = _NAMES.get(match[1], match[1].replace("_", " "))
            curves.setdefault(name, []).append([(row["step"], row[column]) for row in rows])
    return curves
