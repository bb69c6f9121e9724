"""Prints the block that ends `make run`, from what the workflow has left on disk; computes and writes nothing.

It names the page to look at, and shows the probe's and kNN's accuracy beside raw pixels and an untrained encoder, the
Fréchet distance beside that of real held-out images, whether the model was registered and why, and three commands to
go on with.
"""

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.artifacts.metric_keys import FRECHET, Accuracy, OfImages, beside, format_value, read_key
from components.artifacts.metrics import Metrics
from components.report.evidence import read_decision, read_existing_metrics

Row = tuple[str, ...]

_WIDTH = 88
_PROBED, _NEIGHBOURS = ("bn_crelu", "avepool"), ("avepool",)  # features whose accuracies are named
_NEXT = (
    ("train on your own images", "make run DATA=/path/to/your/images"),
    ("change one parameter", ".venv/bin/dvc exp run -S '+train.lr=0.0005'"),
    ("compare the two runs", ".venv/bin/dvc exp show --only-changed"),
)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.report block",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--registration", type=Path, required=True, metavar="DIR", help="what `register` has decided")
    parser.add_argument("--metrics", type=Path, required=True, nargs="+", metavar="DIR", help="metrics artifacts")
    parser.add_argument("--page", type=Path, metavar="FILE", help="the page to name first; left out, if it is absent")
    parser.add_argument(
        "--pictures",
        type=Path,
        nargs="*",
        default=[],
        metavar="PATH",
        help="more PNG files, or folders of them, to name with those of --metrics; what is absent is left out",
    )
    flags = parser.parse_args(arguments)

    decision = read_decision(flags.registration)
    artifacts = {directory: read_existing_metrics(directory) for directory in flags.metrics}
    page = flags.page if flags.page is not None and flags.page.is_file() else None
    print(closing_block(decision, artifacts, page, _find_pictures([*flags.pictures, *flags.metrics])))


def closing_block(
    registration: Mapping[str, Any], artifacts: Mapping[Path, Metrics], page: Path | None, pictures: Sequence[Path]
) -> str:
    """What came out, where it lies, and what to do next.

    Args:
        registration: the content of `registration.json`.
        artifacts: the metrics artifacts by their places.
        page: what to look at first, if it exists.
        pictures: the PNG files that exist.
    """
    values = {key: value for metrics in artifacts.values() for key, value in metrics.values.items()}
    sections = [
        [] if page is None else [f"Open in a browser: {page}"],
        _representation(values),
        _generation(values),
        _skipped(artifacts),
        _registry(registration),
        _pictures(pictures),
        _next(),
    ]
    lines = [line for section in sections if section for line in ["", *section]]
    return "\n".join(["=" * _WIDTH, *lines[1:], "=" * _WIDTH])


def _find_pictures(places: Sequence[Path]) -> list[Path]:
    return [path for place in places for path in ([place] if place.is_file() else sorted(place.glob("*.png")))]


def _representation(values: Mapping[str, float]) -> list[str]:
    rows = representation_rows(values)
    return _table(("Encoder: accuracy on test images", "trained", "untrained", "raw pixels"), rows)


def representation_rows(values: Mapping[str, float]) -> list[Row]:
    """(what, trained encoder, untrained encoder, raw pixels); empty if nothing was measured."""
    accuracies = [reading for reading in map(read_key, values) if isinstance(reading, Accuracy)]
    named = [
        accuracy
        for accuracy in accuracies
        if accuracy.top == 1
        and accuracy.statistic in ("", "mean")
        and accuracy.features in (_NEIGHBOURS if accuracy.neighbours else _PROBED)
    ]
    named.sort(key=lambda accuracy: (accuracy.order, _PROBED.index(accuracy.features)))
    return [_accuracy_row(accuracy, values) for accuracy in named]


def _accuracy_row(accuracy: Accuracy, values: Mapping[str, float]) -> Row:
    label = accuracy.title
    baselines = (_beside(accuracy.key, values, name) for name in ("untrained", "raw pixels"))
    return label, format_value(accuracy.key, values[accuracy.key]), *baselines


def _generation(values: Mapping[str, float]) -> list[str]:
    rows = frechet_rows(values)
    return _table(("Generator: Fréchet distance to train images", "samples", "real (floor)"), rows)


def frechet_rows(values: Mapping[str, float]) -> list[Row]:
    """(key, generated samples, as many real held-out images); the second is the floor of the first."""
    readings = [reading for reading in map(read_key, sorted(values)) if isinstance(reading, OfImages)]
    keys = [
        reading.key
        for reading in readings
        if reading.measure.family in FRECHET and reading.images == "samples" and not reading.derived
    ]
    return [(key, format_value(key, values[key]), _beside(key, values, "real images")) for key in keys]


def _beside(key: str, values: Mapping[str, float], name: str) -> str:
    other = beside(key, values).get(name)
    return "-" if other is None else format_value(other, values[other])


def _skipped(artifacts: Mapping[Path, Metrics]) -> list[str]:
    reasons = {
        place: metrics.protocol["skipped"] for place, metrics in artifacts.items() if "skipped" in metrics.protocol
    }
    lines = [line for place, reason in reasons.items() for line in _wrapped(f"{place}: {reason}")]
    return ["Not measured", *lines] if lines else []


def _registry(registration: Mapping[str, Any]) -> list[str]:
    if registration["champion"]:
        result = f"registered as version {registration['version']} of {registration['name']}, and champion"
    elif registration["registered"]:
        result = f"registered as version {registration['version']} of {registration['name']}, but not champion, because"
    else:
        result = "refused, because"
    reasons = (line for reason in registration["reasons"] for line in _wrapped(f"- {reason}"))
    return [f"Registry: {result}", *reasons]


def _pictures(pictures: Sequence[Path]) -> list[str]:
    return ["Pictures to look at", *(f"  {path}" for path in pictures)] if pictures else []


def _next() -> list[str]:
    width = max(len(purpose) for purpose, _ in _NEXT)
    return ["Next", *(f"  {purpose.ljust(width)}  {command}" for purpose, command in _NEXT)]


def _table(head: Row, rows: Sequence[Row]) -> list[str]:
    """Aligned lines; none if there are no rows."""
    if not rows:
        return []
    lines = [head, *((f"  {row[0]}", *row[1:]) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    widths[0] = max(widths[0], _WIDTH - sum(widths[1:]) - 2 * len(widths[1:]))
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
