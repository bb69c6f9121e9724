"""What the workflow has left on disk, read once for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.artifacts.errors import UserError
from components.artifacts.files import read_json
from components.artifacts.metrics import Metrics, read_metrics
from components.artifacts.training_log import FILES, SIGNS, read_log

_DECISION = {"name", "registered", "version", "champion", "reasons", "conditions", "run_id"}


@dataclass(frozen=True)
class Artifact:
    """Metrics, and the folder that their pictures lie in."""

    name: str
    directory: Path
    metrics: Metrics


@dataclass(frozen=True)
class Evidence:
    """One run.

    decision, previous: `registration.json` and `previous.json`; None: there was no champion before. manifest: the
    dataset's. description: `model.json`. logs: rows by file. signs: what training noticed; None: it kept no record.
    choice: `params.yaml`; None on the cluster, where there is none. parameters: `resolved.yaml`.
    """

    decision: dict[str, Any]
    previous: dict[str, Any] | None
    artifacts: list[Artifact]
    dataset: Path
    manifest: dict[str, Any]
    model: Path
    description: dict[str, Any]
    logs: dict[str, list[dict[str, float]]]
    signs: list[dict[str, Any]] | None
    choice: dict[str, Any] | None
    parameters: dict[str, Any]

    @property
    def values(self) -> dict[str, float]:
        return {key: value for artifact in self.artifacts for key, value in artifact.metrics.values.items()}


def read_evidence(
    registration: Path, metrics: Sequence[Path], dataset: Path, model: Path, params: Path, choice: Path | None
) -> Evidence:
    """Raises: UserError, if something is absent or not of its kind; it says which step to run."""
    previous, signs = registration / "previous.json", model / SIGNS
    return Evidence(
        decision=read_decision(registration),
        previous=_mapping(previous) if previous.is_file() else None,
        artifacts=[Artifact(path.resolve().name, path, read_existing_metrics(path)) for path in metrics],
        dataset=dataset,
        manifest=_mapping(dataset / "manifest.json"),
        model=model,
        description=_mapping(model / "model.json"),
        logs={name: read_log(model / name) for name in FILES},
        signs=read_json(signs) if signs.is_file() else None,
        choice=None if choice is None else _yaml(choice),
        parameters=_yaml(params),
    )


def read_decision(directory: Path) -> dict[str, Any]:
    path = directory / "registration.json"
    _must_exist(path)
    decision = read_json(path)
    if not isinstance(decision, dict) or _DECISION - decision.keys():
        raise UserError(f"{path} is no decision of the step `register`: run `dvc repro`")
    return decision


def read_existing_metrics(directory: Path) -> Metrics:
    _must_exist(directory / "metrics.json")
    return read_metrics(directory)


def _mapping(path: Path) -> dict[str, Any]:
    _must_exist(path)
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} does not hold one JSON object: run the step that makes it again")
    return content


def _yaml(path: Path) -> dict[str, Any]:
    _must_exist(path)
    try:
        content = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold `key: value` lines")
    return content


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path} does not exist yet: run `dvc repro` to the end first")
