"""The champion that a model was held against, as a report can show it: numbers, what forbids comparing, parameters."""

from typing import Any

import yaml

from components.artifacts.errors import UserError
from components.register.candidate import read_named_metrics
from components.register.gate import Champion
from components.register.measured import Measured, Remeasured, protocol_differences
from components.register.registry import Registry


def read_champion(registry: Registry, version: int, remeasured: Remeasured | None) -> Champion:
    """A version as the champion to compare with; if it was measured again, by these numbers."""
    if remeasured is not None and remeasured.version == version:
        measured = remeasured.measured
    else:
        measured = read_named_metrics(registry.metrics_directories(version))
    return Champion(version, measured, registry.directory(version) / "model")


def describe_previous(registry: Registry, champion: Champion, challenger: Measured) -> dict[str, Any]:
    """The content of `previous.json`.

    `metrics` has the champion's number by key, and under `protocol_differences` in what its protocol differs from the
    challenger's: only where that is empty may the two be compared. `parameters` is the champion's `resolved.yaml`.

    Raises: UserError, if the version's parameters cannot be read.
    """
    metrics = {
        key: {
            "value": value,
            "protocol_differences": protocol_differences(champion.measured.protocols[key], challenger.protocols[key])
            if key in challenger.protocols
            else [],
        }
        for key, value in champion.measured.values.items()
    }
    return {
        "version": champion.version,
        "dataset_version": registry.entry(champion.version)["dataset"]["version"],
        "metrics": metrics,
        "parameters": _parameters(registry, champion.version),
    }


def _parameters(registry: Registry, version: int) -> Any:
    path = registry.directory(version) / "resolved.yaml"
    try:
        return yaml.safe_load(path.read_bytes())
    except (FileNotFoundError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read ({error}): restore it from a copy") from None
