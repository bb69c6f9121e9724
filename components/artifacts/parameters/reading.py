"""From YAML to the typed sections, strictly."""

import math
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from components.artifacts.errors import UserError
from components.artifacts.parameters.checks import as_written


def load(path: Path, **sections: Any) -> tuple[Any, ...]:
    """Reads some sections of `resolved.yaml`, as instances of their classes.

    Raises:
        UserError: the file is absent or not YAML, a section or key is missing, unknown, of a wrong type or value.
    """
    try:
        content = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: `python -m components.compose --output {path}` makes it") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    missing = [name for name in sections if not isinstance(content, dict) or name not in content]
    if missing:
        raise UserError(f"{path} has no section {', '.join(missing)}: make it anew with `python -m components.compose`")
    return tuple(build(kind, content[name], name) for name, kind in sections.items())


def load_together(path: Path, kind: Any) -> Any:
    """Reads the sections that the dataclass `kind` has as its fields, and checks them against each other.

    Raises: UserError, as `load`.
    """
    sections = get_type_hints(kind)
    loaded = load(path, **sections)
    return _construct(kind, dict(zip(sections, loaded, strict=True)))


def build(kind: Any, value: Any, key: str) -> Any:
    """Turns plain YAML content into `kind`, strictly. Raises: UserError, naming the key."""
    if kind is Any:
        return value
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise UserError(f"{key} is {_quoted(value)}, but it is a section: give its keys one by one")
        hints = get_type_hints(kind)
        prefix = f"{key}." if key else ""
        for name in (name for name in value if name not in hints):
            known = f"{key} has: " if key else "there are: "
            of_kind = f" of kind {get_args(hints['kind'])[0]}" if get_origin(hints.get("kind")) is Literal else ""
            raise UserError(f"{prefix}{name} is not a parameter{of_kind}; {known}{', '.join(hints)}")
        for field in fields(kind):
            if field.name not in value and field.default is MISSING:
                raise UserError(f"{prefix}{field.name} is missing")
        return _construct(kind, {name: build(hints[name], value[name], prefix + name) for name in value})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return build(_option([option for option in arguments if option is not NoneType], value, key), value, key)
    if origin is Literal:
        if value not in arguments:
            raise UserError(f"{key} is {as_written(value)}; allowed: {', '.join(map(str, arguments))}")
        return value
    if origin is list and isinstance(value, list):
        return [build(arguments[0], item, f"{key}[{index}]") for index, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {name: build(arguments[1], item, f"{key}.{name}") for name, item in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(key, value)
    if origin is None and isinstance(value, kind) and (kind is not int or not isinstance(value, bool)):
        return value
    expected = getattr(kind, "__name__", str(kind)) if origin is None else str(kind)
    raise UserError(f"{key} is {_quoted(value)}, but it must be of type {expected}")


def _quoted(value: Any) -> str:
    return repr(value) if isinstance(value, str) else as_written(value)


def _option(options: list[Any], value: Any, key: str) -> Any:
    """The one of several classes that `value` is of: each names itself by the only value of its key `kind`."""
    if len(options) == 1 or not isinstance(value, dict):
        return options[0]
    by_kind = {get_args(get_type_hints(option)["kind"])[0]: option for option in options}
    if "kind" not in value:
        raise UserError(f"{key}.kind is missing; allowed: {', '.join(by_kind)}")
    kind = value["kind"]
    if not isinstance(kind, str) or kind not in by_kind:
        raise UserError(f"{key}.kind is {as_written(kind)}; allowed: {', '.join(by_kind)}")
    return by_kind[kind]


def _finite(key: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UserError(f"{key} is {value}, but it must be a finite number")
    return number


def _construct(kind: Any, values: dict[str, Any]) -> Any:
    try:
        return kind(**values)
    except ValueError as error:
        raise UserError(str(error)) from None
