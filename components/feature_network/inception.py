"""Takes the weights of TensorFlow's Inception from a local file."""

from pathlib import Path

from torch import nn

from components.artifacts.errors import UserError
from components.artifacts.feature_network import read_weights
from components.artifacts.feature_network.inception import FEATURES, INPUT, OUTPUTS, Inception
from components.artifacts.files import sha256
from components.feature_network.published import description, published

DESCRIPTION = description("inception", FEATURES, OUTPUTS, INPUT)


def inception_from_file(path: Path, expected_sha256: str) -> nn.Module:
    """Raises: UserError, if the file is absent, torn, another one, or not exactly this network's weights."""
    weights = read_weights(path)
    found = sha256(path)
    if found != expected_sha256:
        raise UserError(
            f"{path} is another file than feature_network.inception_sha256 names: its sha256 is {found}, not "
            f"{expected_sha256}. Convert the weights anew, or correct the parameter if you trust this file"
        )
    return published(Inception, weights, str(path))
