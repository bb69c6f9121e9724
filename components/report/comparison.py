"""This run beside the champion that it was held against: number by number, where the protocols allow it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.artifacts.metric_keys import direction, format_value, read_key
from components.report.number import Number, number


@dataclass(frozen=True)
class ComparedRow:
    """`verdict`: better, worse or equal; empty where neither way is better."""

    title: str
    here: Number
    before: Number
    change: str
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """`first` rows are of the decisive numbers, `others` of all the rest. `forbidden`: (what differs, the keys that
    cannot be compared for it). `only_here`, `only_before`: keys that one side alone has."""

    version: int
    first: list[ComparedRow]
    others: list[ComparedRow]
    forbidden: list[tuple[list[str], list[str]]]
    only_here: list[str]
    only_before: list[str]


def compare(values: Mapping[str, float], previous: Mapping[str, Any], decisive: Sequence[str]) -> Comparison:
    """Holds every number against that of the version before.

    Args:
        previous: the content of `previous.json`.
        decisive: the keys that come first.
    """
    before = {key: entry["value"] for key, entry in previous["metrics"].items()}
    forbidden: dict[tuple[str, ...], list[str]] = {}
    rows = {}
    for key in sorted(values.keys() & before.keys()):
        if differences := previous["metrics"][key]["protocol_differences"]:
            forbidden.setdefault(tuple(differences), []).append(key)
        else:
            rows[key] = _row(key, values, before)
    return Comparison(
        version=previous["version"],
        first=[rows[key] for key in decisive if key in rows],
        others=[row for key, row in rows.items() if key not in decisive],
        forbidden=[(list(differences), keys) for differences, keys in forbidden.items()],
        only_here=sorted(values.keys() - before.keys()),
        only_before=sorted(before.keys() - values.keys()),
    )


def _row(key: str, values: Mapping[str, float], before: Mapping[str, float]) -> ComparedRow:
    reading, better = read_key(key), direction(key)
    change = values[key] - before[key]
    verdict = ""
    if better is not None:
        verdict = "equal" if change == 0 else "better" if (change > 0) == (better == "higher") else "worse"
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return ComparedRow(
        title=key if reading is None else reading.title,
        here=number(key, values),
        before=number(key, before),
        change=sign + format_value(key, abs(change)).replace(" %", " points"),
        verdict=verdict,
    )
