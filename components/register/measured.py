"""The numbers of one model, merged from several metrics artifacts; each key remembers its protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.artifacts.errors import UserError
from components.artifacts.flatten import flatten
from components.artifacts.metrics import Metrics

# What a protocol led to in one model's case, such as a selected penalty, or a number that it cannot have: reported, but
# no part of the comparison.
OUTCOMES = ("outcomes", "not_measured")


@dataclass(frozen=True)
class Measured:
    """What is known about one model.

    `values` maps a metric's key to its number, `protocols` the same key to the protocol it was measured by,
    `skipped` the name of an artifact that measured nothing to its reason, `absent` the key of a single metric that was
    left out to its reason.
    """

    values: dict[str, float]
    protocols: dict[str, dict[str, Any]]
    skipped: dict[str, str]
    absent: dict[str, str]


@dataclass(frozen=True)
class Remeasured:
    """Numbers of a version that were measured again, to stand in for those it was registered with."""

    version: int
    measured: Measured


def merge(artifacts: Mapping[str, Metrics]) -> Measured:
    """Merges metrics artifacts, given by name. Raises: UserError, if two of them hold the same key."""
    values: dict[str, float] = {}
    protocols: dict[str, dict[str, Any]] = {}
    origin: dict[str, str] = {}
    skipped: dict[str, str] = {}
    absent: dict[str, str] = {}
    for name, metrics in artifacts.items():
        for key, value in metrics.values.items():
            if key in values:
                raise UserError(f"metric {key} is in {origin[key]} and in {name}: leave one of them out of --metrics")
            values[key], protocols[key], origin[key] = value, metrics.protocol, name
        if "skipped" in metrics.protocol:
            skipped[name] = str(metrics.protocol["skipped"])
        absent |= metrics.protocol.get("not_measured", {})
    return Measured(values, protocols, skipped, absent)


def protocol_differences(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> list[str]:
    """Names each entry in which two protocols differ, as `dotted.key: champion's, challenger's`; outcomes aside."""
    theirs, ours = _without_outcomes(champion), _without_outcomes(challenger)
    return [
        f"{key}: {_shown(theirs, key)} for the champion, {_shown(ours, key)} here"
        for key in sorted(theirs.keys() | ours.keys())
        if key not in theirs or key not in ours or theirs[key] != ours[key]
    ]


def _without_outcomes(protocol: Mapping[str, Any]) -> dict[str, Any]:
    return dict(flatten({key: value for key, value in protocol.items() if key not in OUTCOMES}))


def _shown(flat: Mapping[str, Any], key: str) -> str:
    return repr(flat[key]) if key in flat else "not stated"
