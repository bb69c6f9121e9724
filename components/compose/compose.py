"""The options in params/ and some overrides, composed by Hydra and checked, as the content of resolved.yaml."""

from dataclasses import asdict
from pathlib import Path

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.errors import HydraException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

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
    try:
        with initialize_config_dir(str(directory.resolve()), version_base="1.3"):
            composed = hydra_compose("config", [_hydra_override(directory, override) for override in overrides])
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


def _hydra_override(directory: Path, override: str) -> str:
    """Marks a value as forced, so that an unknown key reaches our own check, whose message names what is allowed."""
    key, separator, value = override.partition("=")
    if not separator or not key.strip("+"):
        raise UserError(f"{override!r} is not of the form key=value")
    if key.startswith("~"):
        raise UserError(f"{override}: a parameter cannot be taken out; give it another value")
    if (directory / key).is_dir():
        options = sorted(path.stem for path in (directory / key).glob("*.yaml"))
        option = value.strip("\"'")
        if option not in options:
            raise UserError(f"{key}={option}: {key} has no such option; it has: {', '.join(options)}")
        return f"{key}={option}"
    return f"++{override.lstrip('+')}"


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
            if "is not Optional" in str(candidate):
                return f"{candidate.full_key} is null, but it must have a value"
            return f"{candidate.full_key}: {candidate.msg or candidate}".splitlines()[0]
    return " ".join(str(error).split())
