"""A number as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.artifacts.metric_keys import format_value, spread


@dataclass(frozen=True)
class Number:
    """One metric: its exact value under its key, and in words. `spread`: the key and words of its ±, if it has one."""

    key: str
    value: float
    text: str
    spread: "Number | None" = None


def number(key: str, values: Mapping[str, float]) -> Number:
    """The metric `key`, which must be there."""
    other = spread(key, values)
    return Number(key, values[key], format_value(key, values[key]), None if other is None else number(other, values))
