"""The dataset's numbers as one picture: images per class, sizes of the sources, levels of the channels."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from components.artifacts.dataset import SPLITS

_NAMED_CLASSES = 30
_COLOURS = {"train": "tab:blue", "validation": "tab:orange", "test": "tab:green"}
_CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}


def draw_data_sheet(manifest: dict[str, Any], picture: Path) -> None:
    """Draws what a dataset's manifest holds as PNG; the same manifest gives the same bytes."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5), width_ratios=(2, 2, 1), layout="constrained")
    _draw_classes(axes[0], manifest)
    _draw_sizes(axes[1], manifest)
    _draw_levels(axes[2], manifest)
    for axis in axes[:2]:
        axis.yaxis.set_major_formatter("{x:,.0f}")
    # matplotlib would write its version into the file.
    figure.savefig(picture, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _draw_classes(axis: Axes, manifest: dict[str, Any]) -> None:
    classes = manifest["classes"]
    axis.set_ylabel("images")
    if classes is None:
        axis.set_title("Images per split; no labels")
        images = [manifest["splits"][name]["images"] for name in SPLITS]
        axis.bar_label(axis.bar(SPLITS, images, color=[_COLOURS[name] for name in SPLITS]), fmt="{:,.0f}")
        return
    axis.set_title(f"Images per class, {len(classes):,} in all")
    counts = {name: np.array(manifest["splits"][name]["images_per_class"]) for name in SPLITS}
    order = np.arange(len(classes))
    if len(classes) > _NAMED_CLASSES:
        order = np.argsort(-sum(counts.values()), kind="stable")
        axis.set_xlabel("classes, from the largest to the smallest")
    else:
        shown = [name if len(name) <= 20 else name[:19] + "…" for name in classes]
        axis.set_xticks(order, shown, rotation=90 if len("".join(shown)) > 60 else 0)
    bottom = np.zeros(len(classes))
    for name in SPLITS:
        total = f"{name}: {manifest['splits'][name]['images']:,}"
        if len(classes) <= _NAMED_CLASSES:
            axis.bar(order, counts[name], bottom=bottom, color=_COLOURS[name], label=total)
        else:
            top = bottom + counts[name][order]
            axis.stairs(top, baseline=bottom, fill=True, color=_COLOURS[name], label=total)
        bottom += counts[name][order]
    axis.legend(fontsize=8, loc="lower right")


def _draw_sizes(axis: Axes, manifest: dict[str, Any]) -> None:
    sizes, stored = manifest["source_sizes"], manifest["image"]["size"]
    edges, images = sizes["short_side"]["edges"], sizes["short_side"]["images"]
    axis.stairs(images, edges, fill=True, color="tab:gray")
    axis.axvline(stored, color="tab:red", linewidth=1, label=f"stored: {stored} px")
    axis.set_xscale("log")
    axis.set_xlim(sizes["minimum"] / 1.5, sizes["maximum"] * 1.5)
    ticks = sorted({sizes["minimum"], round(sizes["median"]), sizes["maximum"]})
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.set_xticks([], minor=True)
    axis.set_xlabel("short side of the image as it was, px (least, median, most)")
    axis.set_ylabel("images")
    axis.set_title(f"Sizes of the sources; {manifest['enlarged']:,} were enlarged")
    axis.legend(fontsize=8)


def _draw_levels(axis: Axes, manifest: dict[str, Any]) -> None:
    mean, spread = manifest["pixels"]["mean"], manifest["pixels"]["standard_deviation"]
    names = _CHANNELS[len(mean)]
    axis.errorbar(names, mean, spread, fmt="none", ecolor="tab:gray", capsize=6)
    axis.scatter(names, mean, color=["tab:gray"] if len(mean) == 1 else ["tab:red", "tab:green", "tab:blue"], zorder=2)
    axis.set_ylim(0, 255)
    axis.margins(x=0.4)
    axis.set_ylabel("level")
    axis.set_title("Train: mean ± std. dev.")
