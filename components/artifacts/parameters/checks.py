"""What a value must be; a refusal names the key, what was given and what is allowed.

Each raises ValueError, which `components.artifacts.parameters.reading` turns into the error that a person reads.
"""

from typing import Any


def as_written(value: Any) -> str:
    """The value as YAML writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(holds: bool, key: str, given: Any, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{key} is {as_written(given)}; allowed: {allowed}")


def positive(key: str, given: float) -> None:
    check(given > 0, key, given, "more than 0")


def seed(key: str, given: int) -> None:
    check(0 <= given < 2**63, key, given, "0 to 2**63 - 1")


def fraction(key: str, given: float) -> None:
    check(0 <= given < 1, key, given, "at least 0 and less than 1")


def one_of(key: str, given: Any, allowed: tuple[Any, ...]) -> None:
    check(given in allowed, key, given, ", ".join(map(as_written, allowed)))
