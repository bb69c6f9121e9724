"""The metrics artifact: what was measured, and the protocol that it was measured by.

    <directory>/metrics.json    flat, numbers only; each key says what was computed, on what, with how many
    <directory>/protocol.json   everything two runs must share for their numbers to be comparable

Pictures that belong to the numbers lie beside them as PNG.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.errors import UserError
from components.artifacts.files import read_json, write_json


@dataclass(frozen=True)
class Metrics:
    """Numbers and their protocol. A step that could measure nothing says why in `protocol["skipped"]`."""

    values: dict[str, float]
    protocol: dict[str, Any]


def write_metrics(directory: Path, metrics: Metrics) -> None:
    """Writes both files. Raises: ValueError, if a value is not a finite number."""
    for key, value in metrics.values.items():
        if not _is_finite_number(value):
            raise ValueError(f"metric {key} is {value}: a metric that could not be computed must not be written")
    write_json(directory / "metrics.json", metrics.values)
    write_json(directory / "protocol.json", metrics.protocol)


def read_metrics(directory: Path) -> Metrics:
    """Raises: UserError, if a file is absent, is not JSON, or holds anything but finite numbers."""
    values = read_json(directory / "metrics.json")
    protocol = read_json(directory / "protocol.json")
    if not isinstance(values, dict) or not isinstance(protocol, dict):
        raise UserError(f"{directory}: metrics.json and protocol.json must each hold one JSON object")
    for key, value in values.items():
        if not _is_finite_number(value):
            raise UserError(f"{directory / 'metrics.json'}: {key} is {value!r}, not a finite number")
    return Metrics(values, protocol)


def _is_finite_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False
