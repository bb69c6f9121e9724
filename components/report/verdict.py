"""The gate's conditions, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.artifacts.metric_keys import format_value, read_key
from components.report.number import Number, number

_COMPARED = {"higher_than_champion": "above", "lower_than_champion": "below"}


@dataclass(frozen=True)
class Judged:
    """A condition of the gate. `number`: the metric, with its title; None where `told` says everything."""

    holds: bool
    title: str
    number: Number | None
    told: str


def judged(values: Mapping[str, float], conditions: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """A condition that holds in short; one that does not in the gate's own words, which say what to do."""
    return [_judged(values, condition) for condition in conditions]


def _judged(values: Mapping[str, float], condition: Mapping[str, Any]) -> Judged:
    key, bound = condition["metric"], condition["bound"]
    if not condition["holds"] or key not in values:
        return Judged(condition["holds"], "", None, condition["text"])
    if bound is None:
        told = "there was no champion yet to compare it with"
    else:
        whose = "" if condition["champion"] is None else f", the number of version {condition['champion']}"
        told = f"asked for: {asked(condition)} {format_value(key, bound)}{whose}"
    reading = read_key(key)
    return Judged(True, key if reading is None else reading.title, number(key, values), told)


def asked(condition: Mapping[str, Any]) -> str:
    """`at least`, `at most`, `above` or `below`."""
    kind = condition["condition"]
    return _COMPARED.get(kind, kind.replace("_", " "))
