"""Weights that others have published as a pickled state dict, read without running code from it.

The only place where the project opens a pickle: in PyTorch's weights-only mode, and only a file whose sha256 is known.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from components.artifacts.errors import UserError
from components.artifacts.feature_network import with_weights


def description(name: str, features: int, outputs: int, pixels: str) -> dict[str, Any]:
    """Of the artifact, for a classifier of ImageNet that takes images of any size.

    Args:
        pixels: what it does to them first.
    """
    return {
        "kind": name,
        "name": name,
        "target": "imagenet",
        "feature_size": features,
        "outputs": outputs,
        "classes": None,
        "image": None,
        "channels": None,
        "input": pixels,
        "dataset_version": None,
        "validation_accuracy": None,
        "validation_images": None,
    }


def published(kind: type[nn.Module], weights: dict[str, Tensor], place: str) -> nn.Module:
    """The network with these weights. Raises: UserError, naming `place` and the first tensors that do not fit."""
    with torch.device("meta"):
        empty = kind()
    return with_weights(empty, weights, place)


def read_state_dict(path: Path, sha256: str) -> dict[str, Tensor]:
    """The float tensors of a .pth file, without the batch counters of batch normalisation.

    Args:
        sha256: what the file's must be, 64 hexadecimal digits.

    Raises:
        UserError: the file is absent or another one, is torn, holds more than tensors, or is not a state dict.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the path of the .pth file") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UserError(f"{path} is another file than the published one: its sha256 is {found}, not {sha256}")
    try:
        tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    # On foreign bytes the unpickler fails in any way it likes (IndexError, say).
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".strip().split("\n")[0]
        raise UserError(f"{path} is torn, or holds more than plain tensors ({reason}): fetch it anew") from None
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise UserError(f"{path} is not a state dict of tensors: give the file that --help describes")
    return {name: value.contiguous() for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
