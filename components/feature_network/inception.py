"""Takes the weights of TensorFlow's Inception from a local file."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from components.artifacts.feature_network import read_weights, with_weights
from components.artifacts.feature_network.inception import FEATURES, INPUT, OUTPUTS, Inception

DESCRIPTION: dict[str, Any] = {
    "kind": "inception",
    "name": "inception",
    "target": "imagenet",
    "feature_size": FEATURES,
    "outputs": OUTPUTS,
    "classes": None,
    "image": None,
    "channels": None,
    "input": INPUT,
    "dataset_version": None,
    "validation_accuracy": None,
    "validation_images": None,
}


def inception_from_file(path: Path) -> nn.Module:
    """Raises: UserError, if the file is absent, torn, or not exactly this network's weights."""
    return inception_with(read_weights(path), str(path))


def inception_with(weights: dict[str, Tensor], place: str) -> nn.Module:
    """Raises: UserError, naming `place` and the first tensors that are missing, unknown or of another shape."""
    with torch.device("meta"):
        empty = Inception()
    return with_weights(empty, weights, place)
