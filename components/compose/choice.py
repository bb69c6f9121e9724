"""params.yaml, what a person picks, as Hydra overrides."""

import json
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.types import Quote, QuotedString

from components.artifacts.errors import UserError

# Places, not parameters: dvc.yaml hands them to the steps as flags.
_PLACES = ("source", "registry")


def read_choice(path: Path) -> list[str]:
    """Turns the file into overrides in the order of its keys.

    `experiment: digits` selects an experiment; a string under another group's name selects that group's option; a
    mapping overrides values, key by key.

    Raises: UserError, if the file is absent or not a YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: it holds the choice, at least `experiment: NAME`") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold `key: value` lines, at least `experiment: NAME`")
    return [override for key, value in content.items() if key not in _PLACES for override in _overrides(key, value)]


def _overrides(key: str, value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return [override for name, inner in value.items() for override in _overrides(f"{key}.{name}", inner)]
    return [f"{key}={_in_hydra_grammar(value)}"]


def _in_hydra_grammar(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_in_hydra_grammar, value))}]"
    if value is None or isinstance(value, bool | int | float | dict):
        return json.dumps(value)
    # Whatever else YAML makes of a line without quotes, a date for example, was a text to whoever wrote it.
    return QuotedString(text=str(value), quote=Quote.double).with_quotes()
