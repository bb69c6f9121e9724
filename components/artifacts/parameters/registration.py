"""Who may enter the registry."""

from dataclasses import dataclass
from typing import Any

from components.artifacts.parameters.checks import check, one_of
from components.artifacts.parameters.reading import build


@dataclass
class Condition:
    """One condition of the gate on one metric; those that are null do not count."""

    at_least: float | None = None
    at_most: float | None = None
    better_than_champion: str | None = None


@dataclass
class Register:
    name: str
    gate: dict[str, Any]  # of Condition; Hydra cannot override single keys of a mapping of dataclasses

    def __post_init__(self) -> None:
        # An experiment's condition can be overridden by null, but not deleted.
        given = {metric: value for metric, value in self.gate.items() if value is not None}
        self.gate = {metric: build(Condition, value, f"register.gate.{metric}") for metric, value in given.items()}
        for metric, condition in self.gate.items():
            key, direction = f"register.gate.{metric}", condition.better_than_champion
            one_of(f"{key}.better_than_champion", direction, (None, "higher", "lower"))
            one_or_more = "one or more of at_least, at_most and better_than_champion"
            check(condition != Condition(), key, "without a condition", one_or_more)
