"""The model artifact: weights for evaluation, and where they come from.

    <directory>/generator.safetensors      averaged (EMA) weights, standing batch-norm statistics
    <directory>/encoder.safetensors        the same
    <directory>/discriminator.safetensors  the last weights; a file exists for each network that the model has
    <directory>/model.json                 format, config (sections `image` and `model`), provenance, checksums

Loading runs no code from these files and needs no pickle. More files may lie beside them (the training log, sheets).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from components.artifacts.errors import UserError
from components.artifacts.files import read_json, sha256, write_bytes, write_json
from components.artifacts.model_files import weight_files
from components.artifacts.parameters import Image, build
from components.artifacts.parameters import Model as ModelParameters
from components.bigbigan.build import Networks, build_networks

FORMAT = "bigbigan-model/2"


@dataclass(frozen=True)
class Model:
    """A loaded model.

    `networks` is in eval mode; `config` rebuilds it (`build_networks`); `provenance` names data, code, parameters,
    seed and step.
    """

    networks: Networks
    config: dict[str, Any]
    provenance: dict[str, Any]


def save_model(directory: Path, networks: Networks, config: dict[str, Any], provenance: dict[str, Any]) -> None:
    """Writes these files into an existing folder. The same model gives the same bytes."""
    checksums = {}
    for part, name in weight_files(config).items():
        path = directory / name
        tensors = {key: value.contiguous() for key, value in getattr(networks, part).state_dict().items()}
        # Its own `save_file` reports a full disk as an error of the format, and lets no other account read the file.
        write_bytes(path, safetensors.torch.save(tensors))
        checksums[name] = sha256(path)
    content = {"format": FORMAT, "config": config, "provenance": provenance, "files": checksums}
    write_json(directory / "model.json", content)


def load_model(directory: Path) -> Model:
    """Loads a model for evaluation, on the CPU.

    Raises:
        UserError: the folder holds no model of this format, or a file is missing, truncated, altered, or does not fit
            the configuration.
    """
    content = read_json(directory / "model.json")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{directory} is not a model of format {FORMAT}: run the step `train` again")
    for key in ("config", "provenance", "files"):
        if not isinstance(content.get(key), dict):
            raise UserError(f"{directory / 'model.json'} has no mapping {key}: run the step `train` again")
    networks = _build_networks(directory / "model.json", content["config"])
    for part, name in weight_files(content["config"]).items():
        _load_part(directory / name, getattr(networks, part), content["files"])
    return Model(networks.eval().requires_grad_(False), content["config"], content["provenance"])


def _build_networks(path: Path, config: dict[str, Any]) -> Networks:
    try:
        build(Image, config.get("image"), "config.image")
        build(ModelParameters, config.get("model"), "config.model")
    except UserError as error:
        raise UserError(f"{path}: {error}: run the step `train` again") from None
    return build_networks(config, seed=0)


def _load_part(path: Path, module: nn.Module, checksums: dict[str, str]) -> None:
    if not path.is_file():
        raise UserError(f"{path} is missing: take the whole model folder, or run the step `train` again")
    if sha256(path) != checksums.get(path.name):
        raise UserError(f"{path} is not the file that model.json names (its sha256 differs): take the model anew")
    try:
        tensors = safetensors.torch.load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is not a safetensors file ({error}): take the model anew") from None
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if found.get(name) != expected.get(name):
            shapes = f"{name} is {found.get(name, 'absent')}, not {expected.get(name, 'absent')}"
            raise UserError(f"{path} does not fit the configuration in model.json: {shapes}: take the model anew")
    module.load_state_dict(tensors)
