"""params.yaml, what a person picks, as Hydra overrides."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.types import Quote, QuotedString

from components.artifacts.errors import UserError


class _Loader(yaml.SafeLoader):
    """Takes 5e-4 for a number, as Hydra does in params/ and on the command line; YAML 1.1 takes it for a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+"), list("-+.0123456789")
)

# Places, not parameters: dvc.yaml hands them to the steps as flags.
_PLACES = ("source", "registry")
# What may stand between the dots of an override's key; others, the gate's patterns for example, go into braces.
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def read_choice(path: Path) -> list[str]:
    """Turns the file into overrides in the order of its keys.

    `experiment: digits` selects an experiment; a string under another group's name selects that group's option; a
    mapping overrides values, key by key.

    Raises: UserError, if the file is absent or not a YAML mapping.
    """
    try:
        content = yaml.load(path.read_bytes(), _Loader)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: it holds the choice, at least `experiment: NAME`") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold `key: value` lines, at least `experiment: NAME`")
    return [override for key, value in content.items() if key not in _PLACES for override in _overrides(key, value)]


def _overrides(key: str, value: Any) -> list[str]:
    if isinstance(value, dict) and value and all(_PLAIN_KEY.fullmatch(str(name)) for name in value):
        return [override for name, inner in value.items() for override in _overrides(f"{key}.{name}", inner)]
    return [f"{key}={_in_hydra_grammar(value)}"]


def _in_hydra_grammar(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_in_hydra_grammar, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_escaped(str(name))}: {_in_hydra_grammar(inner)}" for name, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    # Whatever else YAML makes of a line without quotes, a date for example, was a text to whoever wrote it.
    return QuotedString(text=str(value), quote=Quote.double).with_quotes()


def _escaped(key: str) -> str:
    return re.sub(r"([\\()\[\]{}:=,\s])", r"\\\1", key)
