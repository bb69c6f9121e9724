"""The data sheet: how many images there are, of which classes, where they come from, and what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.artifacts.dataset import SPLITS

# More classes than these are told by their largest and smallest; all of them stand behind a fold.
_CLASSES_DRAWN = 24


@dataclass(frozen=True)
class Bar:
    """`length` in percent of the longest; `parts`: by split, (its name, images, percent of the longest)."""

    name: str
    images: int
    parts: list[tuple[str, int, float]]


@dataclass(frozen=True)
class DataSheet:
    """`splits`: (name, images, share of all in percent). `classes`: bars of at most 24 of them, and how many there are;
    `sizes`: bars of the source images' short sides. Both empty where there is nothing to draw."""

    splits: list[tuple[str, int, float]]
    facts: list[tuple[str, str]]
    classes: list[Bar]
    class_count: int
    sizes: list[Bar]


def data_sheet(manifest: Mapping[str, Any]) -> DataSheet:
    counts = {name: manifest["splits"][name]["images"] for name in SPLITS}
    total = sum(counts.values())
    classes = class_bars(manifest)
    return DataSheet(
        splits=[(name, count, 100 * count / max(total, 1)) for name, count in counts.items()],
        facts=_facts(manifest),
        classes=classes if len(classes) <= _CLASSES_DRAWN else _ends(classes),
        class_count=len(classes),
        sizes=_size_bars(manifest.get("source_sizes")),
    )


def class_bars(manifest: Mapping[str, Any]) -> list[Bar]:
    """Images of each class, in the dataset's order; none without labels."""
    per_split = {name: manifest["splits"][name]["images_per_class"] for name in SPLITS}
    names = manifest["classes"] or []
    rows = [{split: counts[index] for split, counts in per_split.items()} for index in range(len(names))]
    longest = max((sum(row.values()) for row in rows), default=0) or 1
    return [
        Bar(name, sum(row.values()), [(split, count, 100 * count / longest) for split, count in row.items()])
        for name, row in zip(names, rows, strict=True)
    ]


def _ends(bars: list[Bar]) -> list[Bar]:
    ordered = sorted(bars, key=lambda bar: -bar.images)
    return ordered[: _CLASSES_DRAWN // 2] + ordered[-_CLASSES_DRAWN // 2 :]


def _size_bars(sizes: Mapping[str, Any] | None) -> list[Bar]:
    if sizes is None:
        return []
    edges, images = sizes["short_side"]["edges"], sizes["short_side"]["images"]
    if len(images) < 2:  # one size: the facts say it
        return []
    longest = max(images, default=0) or 1
    ranges = zip(edges, edges[1:], images, strict=False)
    return [Bar(_range(low, high), count, [("", count, 100 * count / longest)]) for low, high, count in ranges]


def _range(low: float, high: float) -> str:
    """From `low` to below `high` px."""
    return f"{low:g} px" if high - low == 1 else f"{low:g} – {high:g} px"


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    image, source, rejected = manifest["image"], manifest["source"], manifest["rejected"]
    classes = manifest["classes"]
    channels = {1: "grey", 3: "colour"}.get(image["channels"], f"{image['channels']} channels")
    labels = f"none; {source['labels_from']}"
    if classes is not None:
        count = f"{len(classes)} {'class' if len(classes) == 1 else 'classes'}"
        labels = f"{count}; {source['labels_from']}. For the evaluation only: training reads none"
    facts = [
        ("images as trained on", f"{image['size']} × {image['size']} px, {channels}"),
        ("source", f"{source['name']} ({source['kind']})"),
        ("labels", labels),
        ("splits", source["splits_from"]),
        ("rejected", _rejected(rejected)),
        ("duplicates", _duplicates(manifest.get("duplicates"))),
        ("size of the source images", _sizes(manifest.get("source_sizes"), manifest["enlarged"])),
        ("levels, 0 to 255", _levels(manifest.get("pixels"))),
        ("decoder", manifest["decoder"]),
    ]
    return [(name, text) for name, text in facts if text]


def _rejected(rejected: Mapping[str, Any]) -> str:
    if not rejected["images"]:
        text = f"none of {rejected['of_images']:,} images"
    else:
        reasons = "; ".join(f"{reason}: {count:,}" for reason, count in rejected["reasons"].items())
        text = f"{rejected['images']:,} of {rejected['of_images']:,} images ({reasons})"
    others = rejected["other_files"]
    return text + (f"; {others:,} other files were passed over" if others else "")


def _duplicates(duplicates: Mapping[str, Any] | None) -> str:
    if duplicates is None:
        return "not looked for"
    within = ", ".join(f"{count:,} in {split}" for split, count in duplicates["within_splits"].items() if count)
    across = f"{duplicates['across_splits']:,} across splits" if duplicates["across_splits"] else ""
    dropped = f"{duplicates['dropped']:,} dropped" if duplicates["dropped"] else ""
    return "; ".join(part for part in (within, across, dropped) if part) or "no image is there twice"


def _sizes(sizes: Mapping[str, Any] | None, enlarged: int) -> str:
    if sizes is None:
        return "not recorded"
    text = f"short side {sizes['minimum']:,} to {sizes['maximum']:,} px, median {sizes['median']:,.6g}"
    if sizes["minimum"] == sizes["maximum"]:
        text = f"short side {sizes['minimum']:,} px, all of them"
    return text + (f"; {enlarged:,} were enlarged" if enlarged else "")


def _levels(pixels: Mapping[str, Any] | None) -> str:
    if pixels is None:
        return "not recorded"
    pairs = zip(pixels["mean"], pixels["standard_deviation"], strict=True)
    return (
        "; ".join(f"{mean:.1f} ± {deviation:.1f}" for mean, deviation in pairs) + ", mean ± spread by channel of train"
    )
