"""A study as one picture: a panel per measure, a line per row."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from components.study.comparison import Cell, seeds_drawn
from components.study.study import Study

_COLOURS = {
    "holds": "tab:green",
    "the other way round": "tab:red",
    "not told apart": "tab:grey",
    "one seed": "tab:olive",
    "": "tab:blue",
}


def draw(study: Study, cells: Mapping[str, Mapping[str, Cell]], path: Path) -> None:
    """Each row's mean with its standard deviation over seeds, and each seed as a dot; the first row as a line."""
    figure, axes = plt.subplots(
        1,
        len(study.measures),
        figsize=(6.2 * len(study.measures), 1.2 + 0.36 * len(study.rows)),
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    places = {row.experiment: -index for index, row in enumerate(study.rows)}
    for axis, (name, measure) in zip(axes[0], study.measures.items(), strict=True):
        for row in study.rows:
            cell = cells[row.experiment].get(name)
            if cell is None:
                continue
            colour, place = _COLOURS[cell.verdict()], places[row.experiment]
            axis.errorbar(cell.mean, place, xerr=cell.deviation, fmt="o", color=colour, capsize=3)
            axis.scatter(
                list(cell.values.values()), [place] * len(cell.values), s=8, color="black", alpha=0.4, zorder=3
            )
            if cell.paper is not None and cell.difference is not None:
                arrow, place_beside = f"{cell.paper[0]:g} → {cell.paper[1]:g}", (1.01, place)
                axis.annotate(arrow, place_beside, xycoords=("axes fraction", "data"), va="center", fontsize=7)
        first = cells[study.rows[0].experiment].get(name)
        if first is not None:
            axis.axvline(first.mean, color="tab:blue", linewidth=0.8, linestyle="--")
        axis.set_xlabel(f"{measure.title} ({'higher' if measure.higher_is_better else 'lower'} is better)")
        axis.set_title(f"at the right, the literature: {measure.paper}", fontsize=8)
        axis.grid(alpha=0.3)
    axes[0][0].set_yticks(list(places.values()), [row.label for row in study.rows])
    handles = [
        plt.Line2D([], [], marker="o", linestyle="", color=colour, label=verdict or "the literature has no such pair")
        for verdict, colour in _COLOURS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8, title="the literature's order")
    figure.suptitle(f"{study.title}; {seeds_drawn(cells)} seeds, mean ± standard deviation")
    figure.savefig(path, dpi=100)
    plt.close(figure)
