"""The few numbers that decide: those that the gate asks for, and of each side of the model what is looked at first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.artifacts.metric_keys import FRECHET, Accuracy, OfImages, beside, format_value, read_key
from components.report.number import Number, number
from components.report.verdict import asked

_MOST = 8


@dataclass(frozen=True)
class Mark:
    """Something to hold a number against, at `position` on the tile's bar, in percent of its length.

    key: the metric that it is; None: it is a bound of the gate.
    """

    name: str
    text: str
    key: str | None
    value: float
    position: float


@dataclass(frozen=True)
class Tile:
    """`better`: higher, lower or empty. `position`: of the number on the bar. `holds`: whether the gate let it pass;
    None, if the gate does not ask."""

    title: str
    detail: str
    better: str
    number: Number
    position: float
    marks: list[Mark]
    holds: bool | None


def tiles(values: Mapping[str, float], conditions: Sequence[Mapping[str, Any]]) -> list[Tile]:
    """What the gate asks for comes first; a number that was not measured has no tile."""
    of_gate = dict.fromkeys(condition["metric"] for condition in conditions if condition["metric"] in values)
    keys = list(dict.fromkeys([*of_gate, *_looked_at_first(values)]))[:_MOST]
    return [_tile(key, values, [condition for condition in conditions if condition["metric"] == key]) for key in keys]


def _looked_at_first(values: Mapping[str, float]) -> list[str]:
    readings = [reading for reading in map(read_key, values) if reading is not None and not reading.is_spread]
    accuracies = [reading for reading in readings if isinstance(reading, Accuracy) and reading.top == 1]
    measures = [reading for reading in readings if isinstance(reading, OfImages) and not reading.derived]
    probes = [one for one in accuracies if one.features == "bn_crelu" and not one.neighbours]
    few = sorted((one for one in probes if one.labels), key=lambda one: one.order)
    found = [
        [one.key for one in probes if not one.labels],
        [one.key for one in few[-1:]],
        *(
            [one.key for one in measures if one.measure.family in families and beside(one.key, values)]
            for families in (FRECHET, ("precision",), ("recall",))
        ),
        [one.key for one in measures if one.name == "reconstruction_relative_l1"],
    ]
    return [keys[0] for keys in found if keys]


def _tile(key: str, values: Mapping[str, float], conditions: Sequence[Mapping[str, Any]]) -> Tile:
    reading = read_key(key)
    compared = {name: (other, values[other]) for name, other in beside(key, values).items()}
    bounds = {_bound_name(condition): condition["bound"] for condition in conditions if _is_bound(condition)}
    share = reading is not None and reading.measure.share
    highest = (
        1.0 if share else 1.1 * max(values[key], *(value for _, value in compared.values()), *bounds.values(), 0.0)
    )

    def position(value: float) -> float:
        return round(100 * min(max(value / highest, 0.0), 1.0), 1) if highest > 0 else 0.0

    marks = [
        Mark(name, format_value(other, value), other, value, position(value))
        for name, (other, value) in compared.items()
    ]
    marks += [Mark(name, format_value(key, bound), None, bound, position(bound)) for name, bound in bounds.items()]
    return Tile(
        title=key if reading is None else reading.headline,
        detail="" if reading is None else reading.detail,
        better="" if reading is None or reading.measure.better is None else reading.measure.better,
        number=number(key, values),
        position=position(values[key]),
        marks=marks,
        holds=all(condition["holds"] for condition in conditions) if conditions else None,
    )


def _bound_name(condition: Mapping[str, Any]) -> str:
    champion = condition["champion"]
    return f"gate: {asked(condition)}" + ("" if champion is None else f" version {champion}")


def _is_bound(condition: Mapping[str, Any]) -> bool:
    """A champion's number is one only where the condition holds: else it may be of another protocol."""
    return condition["bound"] is not None and (condition["champion"] is None or condition["holds"])
