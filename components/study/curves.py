"""What a study's experiments logged while they trained, as one picture."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from components.study.study import Study

# Of one curve: by row, a list of (steps, values), one for each seed.
Lines = Mapping[str, list[tuple[np.ndarray, np.ndarray]]]


def draw_curves(study: Study, lines: Mapping[str, Lines], path: Path) -> None:
    """A panel for each of the study's curves (`lines` has them by column): the mean over seeds, and their range."""
    figure, axes = plt.subplots(1, len(study.curves), figsize=(5.5 * len(study.curves), 4.5), squeeze=False)
    for axis, curve in zip(axes[0], study.curves, strict=True):
        for row in study.rows:
            seeds = lines[curve.column].get(row.experiment, [])
            if not seeds:
                continue
            steps = min((line[0] for line in seeds), key=len)
            values = np.stack([np.interp(steps, *line) for line in seeds])
            (drawn,) = axis.plot(steps, values.mean(0), label=row.label, linewidth=1.2)
            axis.fill_between(steps, values.min(0), values.max(0), color=drawn.get_color(), alpha=0.15, linewidth=0)
        axis.set_title(curve.title, fontsize=10)
        axis.set_xlabel("steps")
        axis.grid(alpha=0.3)
    axes[0][-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(f"{study.title}; mean and range over seeds")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
