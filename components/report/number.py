"""A number as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.artifacts.metric_keys import format_value


@dataclass(frozen=True)
class Number:
    """One metric: its exact value under its key, and in words. `spread`: the key and words of its ±, if it has one."""

    key: str
    value: float
    text: str
    spread: "Number | None" = None


def number(key: str, values: Mapping[str, float], spread_key: str | None = None) -> Number:
    """The metric `key`, which must be there, with the spread `spread_key`, if that is there."""
    spread = number(spread_key, values) if spread_key is not None and spread_key in values else None
    return Number(key, values[key], format_value(key, values[key]), spread)
