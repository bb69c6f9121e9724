"""A number as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.artifacts.metric_keys import format_value, spread


@dataclass(frozen=True)
class Number:
    """One metric: its exact value under its key, and in words. `spread`: its ±, to as many decimals, if it has one."""

    key: str
    value: float
    text: str
    spread: "Number | None" = None


def number(key: str, values: Mapping[str, float]) -> Number:
    """The metric `key`, which must be there."""
    text, other = format_value(key, values[key]), spread(key, values)
    return Number(key, values[key], text, None if other is None else _as_spread(other, values[other], text))


def _as_spread(key: str, value: float, beside: str) -> Number:
    """In words with the decimals of the number `beside` that it belongs to, unless nothing would be left of it."""
    text = format_value(key, value)
    if beside.endswith("%") or "e" in beside:
        return Number(key, value, text)
    decimals = len(beside.partition(".")[2])
    return Number(key, value, f"{value:.{decimals}f}" if round(value, decimals) else text)
