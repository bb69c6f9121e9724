"""The options in params/ and some overrides, composed by Hydra and checked, as the content of resolved.yaml."""

import re
from dataclasses import asdict
from pathlib import Path

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.errors import HydraException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from components.artifacts.errors import UserError
from components.artifacts.parameters import Parameters, build

_HEADER = """\
# Composed from params.yaml and params/; each step reads its own sections of this file and nothing else.
# Not to be edited: change params.yaml, and `dvc repro` writes it anew.
"""


def compose(directory: Path, overrides: list[str]) -> Parameters:
    """Composes and checks all parameters.

    Args:
        directory: params/.
        overrides: `group=option` or `key=value`, as on Hydra's command line.

    Raises:
        UserError: an unknown group, option or key, a wrong type, a missing value, an impossible combination.
    """
    groups = _groups(directory)
    try:
        with initialize_config_dir(str(directory.resolve()), version_base="1.3"):
            composed = hydra_compose("config", [_hydra_override(groups, override) for override in overrides])
        content = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_one_line(error)) from None
    parameters: Parameters = build(Parameters, content, "")
    return parameters


def to_yaml(parameters: Parameters) -> str:
    """The text of resolved.yaml, sections in the order of `Parameters`."""
    return _HEADER + yaml.safe_dump(asdict(parameters), sort_keys=False)


def experiments(directory: Path) -> dict[str, str]:
    """Each experiment's name and what it is, from the first comment of its file."""
    found = {}
    for path in sorted((directory / "experiment").glob("*.yaml")):
        comments = [line[1:].strip() for line in path.read_text().splitlines() if line.startswith("#")]
        found[path.stem] = next((line for line in comments if not line.startswith("@package")), "")
    return found


def _groups(directory: Path) -> dict[str, list[str]]:
    """The options of each group that config.yaml lists; `model/generator` is one as well as `image`."""
    try:
        config = yaml.safe_load((directory / "config.yaml").read_bytes())
    except FileNotFoundError:
        raise UserError(f"{directory} has no config.yaml: --params-directory must name the options' folder") from None
    names = [name for entry in config["defaults"] if isinstance(entry, dict) for name in entry]
    return {name: sorted(path.stem for path in (directory / name).glob("*.yaml")) for name in names}


def _hydra_override(groups: dict[str, list[str]], override: str) -> str:
    """Marks a value as forced, so that an unknown key reaches our own check, whose message names what is allowed."""
    key, separator, value = override.partition("=")
    key = key.lstrip("+")
    if not separator or not key:
        raise UserError(f"{override!r} is not of the form key=value")
    if key.startswith("~"):
        raise UserError(f"{override}: a parameter cannot be taken out; give it another value")
    if re.match(r"hydra\b", key):
        raise UserError(f"{key} is not a parameter: Hydra does no more here than compose, its own settings do nothing")
    option = value.strip("\"'")
    if key in groups:
        if option not in groups[key]:
            raise UserError(f"{key}={option}: {key} has no such option; it has: {', '.join(groups[key])}")
        return f"{key}={option}"
    _refuse_mistaken_group(groups, key, option)
    return f"++{key}={value}"


def _refuse_mistaken_group(groups: dict[str, list[str]], key: str, option: str) -> None:
    """A slash leads to a group, whose option is chosen; a dot leads to a value."""
    group, dot, inner = key.partition(".")
    if dot and group in groups and "/" in group:
        dotted = f"{group.replace('/', '.')}.{inner}"
        raise UserError(f"{key}: {group} is a group, whose options are chosen; a value has dots only: {dotted}")
    if "/" in key or "@" in key:
        raise UserError(f"{key} is not a group; there are: {', '.join(groups)}")
    parts = [name for name in groups if name.startswith(f"{key}/")]
    if parts and not option.startswith("{"):
        raise UserError(f"{key}={option}: {key} is chosen in parts: {', '.join(parts)}")
    slashed = key.replace(".", "/")
    if option in groups.get(slashed, []):
        raise UserError(f"{key}={option}: an option is chosen with a slash: {slashed}={option}")


def _one_line(error: Exception) -> str:
    """Hydra's message without its line breaks, with the key in front where OmegaConf names one."""
    if isinstance(error, OverrideParseException):
        remedy = "a text with special characters goes in quotes, and such a key in braces: gate={fd_*: {at_most: 1}}"
        return f"{error.override.lstrip('+')} cannot be read: {remedy}"
    causes = [error]
    while (cause := causes[-1].__cause__) is not None and isinstance(cause, Exception):
        causes.append(cause)
    for candidate in reversed(causes):
        if isinstance(candidate, OmegaConfBaseException) and candidate.full_key:
            if isinstance(candidate, MissingMandatoryValue):
                key = candidate.full_key
                return f"{key} has no value: give it one in params.yaml, or on the command line as {key}=VALUE"
            return f"{candidate.full_key}: {candidate.msg or candidate}".splitlines()[0]
    return " ".join(str(error).split())
