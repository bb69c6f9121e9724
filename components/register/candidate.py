"""The model that asks to be registered: everything about it is read and checked here, before anything is written."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.artifacts.dataset import SPLITS, open_dataset
from components.artifacts.errors import UserError
from components.artifacts.files import read_json, sha256
from components.artifacts.metrics import read_metrics
from components.artifacts.model_files import weight_files
from components.artifacts.parameters import Register
from components.register.measured import Measured, Remeasured, merge

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Candidate:
    """What a model is judged by and registered with.

    `sources` maps each file's path inside a registry's version (`model/model.json`) to the file it is copied from,
    `hashes` the same path to its sha256. `description` is `model.json`, `manifest` the dataset's, `counts` the images
    in each of its splits. `content` is one hash over what the decision depends on, apart from the registry: model,
    metrics, protocols, gate, and the champion's numbers if they were measured again.
    """

    run_id: str
    content: str
    description: dict[str, Any]
    manifest: dict[str, Any]
    counts: dict[str, int]
    measured: Measured
    sources: dict[str, Path]
    hashes: dict[str, str]


def read_candidate(
    register: Register,
    model: Path,
    dataset: Path,
    metrics: Sequence[Path],
    params: Path,
    remeasured: Remeasured | None,
    run_id: str | None,
) -> Candidate:
    """Reads it all.

    Args:
        run_id: names this attempt; None: taken from `content`, so that the same model, judged alike, is one attempt.

    Raises:
        UserError: a file is missing, empty or malformed, the model is of another dataset, the same metric stands in
            two directories, or the run id cannot be a file's name.
    """
    description = _read_description(model)
    opened = open_dataset(dataset)
    trained_on = description["provenance"].get("dataset_version")
    if trained_on != opened.manifest["version"]:
        raise UserError(
            f"the model was trained on dataset version {trained_on}, but {dataset} is {opened.manifest['version']}: "
            "give the dataset of its training to --dataset, or train anew"
        )
    counts = {split: len(getattr(opened, split)) for split in SPLITS}
    directories, measured = _named(metrics), read_named_metrics(metrics)
    sources = _files(model, "model")
    for name, directory in directories.items():
        sources |= _files(directory, f"metrics/{name}")
    hashes = {name: sha256(path) for name, path in sources.items()}
    _check_weights(model, description, hashes)
    # Pictures and logs beside them decide nothing, and need not be the same bytes when they are made anew.
    decisive = ["model/model.json", *(f"model/{name}" for name in sorted(weight_files(description["config"]).values()))]
    decisive += [f"metrics/{name}/{file}" for name in directories for file in ("metrics.json", "protocol.json")]
    judged = {name: hashes[name] for name in decisive}
    content = _digest([judged, asdict(register), None if remeasured is None else asdict(remeasured)])
    sources["resolved.yaml"], hashes["resolved.yaml"] = params, sha256(params)
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise UserError(f"--run-id is {run_id!r}: use up to 128 letters, digits, dots, dashes and underscores")
    return Candidate(
        run_id=run_id or content[:32],
        content=content,
        description=description,
        manifest=opened.manifest,
        counts=counts,
        measured=measured,
        sources=sources,
        hashes=hashes,
    )


def read_named_metrics(directories: Sequence[Path]) -> Measured:
    """Reads and merges metrics artifacts under their folders' names. Raises: UserError, as `read_candidate`."""
    return merge({name: read_metrics(directory) for name, directory in _named(directories).items()})


def _read_description(model: Path) -> dict[str, Any]:
    _require(model / "model.json")
    description = read_json(model / "model.json")
    for key in ("config", "provenance", "files"):
        if not isinstance(description, dict) or not isinstance(description.get(key), dict):
            raise UserError(f"{model / 'model.json'} has no {key}: run the step `train` again")
    if not isinstance(description["config"].get("model"), dict):
        raise UserError(f"{model / 'model.json'} has no config.model: run the step `train` again")
    for name in weight_files(description["config"]).values():
        _require(model / name)
    return description


def _require(path: Path) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        raise UserError(f"{path} is missing or empty: run the step `train` again")


def _check_weights(model: Path, description: dict[str, Any], hashes: dict[str, str]) -> None:
    for name in weight_files(description["config"]).values():
        if hashes[f"model/{name}"] != description["files"].get(name):
            raise UserError(f"{model / name} is not the file that model.json names: run the step `train` again")


def _named(directories: Sequence[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for directory in directories:
        name = directory.resolve().name
        if name in named:
            raise UserError(f"{named[name]} and {directory} have the same last name, {name}: rename one of them")
        named[name] = directory
    return named


def _files(directory: Path, prefix: str) -> dict[str, Path]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {f"{prefix}/{path.relative_to(directory).as_posix()}": path for path in paths}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
