"""Parameters: what was chosen, what that resolves to, and what differs from the version before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from components.artifacts.flatten import flatten

_ABSENT = "not there"


@dataclass(frozen=True)
class Parameter:
    """`before`: the previous version's value, in words, where it is another one; else None."""

    key: str
    text: str
    before: str | None


def in_words(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(dotted key, value in words), in the order of the file."""
    return [(key, _text(value)) for key, value in flatten(content)]


def sections(parameters: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, list[Parameter]]:
    """All parameters by section of `resolved.yaml`, each beside another value that it had before.

    What the previous version alone had stands at the end of its section.
    """
    here = dict(in_words(parameters))
    before = here if previous is None else dict(in_words(previous))
    result: dict[str, list[Parameter]] = {}
    for key in [*here, *(key for key in before if key not in here)]:
        text, old = here.get(key, _ABSENT), before.get(key, _ABSENT)
        result.setdefault(key.partition(".")[0], []).append(Parameter(key, text, None if old == text else old))
    return result


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n...\n").strip()
