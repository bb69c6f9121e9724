"""The feature network artifact: the network on whose features generation is measured.

    <directory>/network.json          what it is (the keys are below)
    <directory>/network.safetensors   its weights

`network.json` holds: format, kind (trained | effnet_lite0 | inception), name (classifier | rotations | effnet_lite0 |
inception: the word in the metrics' keys), target (what its logits stand for: labels | rotations | imagenet),
feature_size, outputs (the number of logits), classes (their names, or null), image ({size, channels}, or null: any),
channels (width, or null), input (what is done to the pixels first), dataset_version, validation_accuracy,
validation_images (null where nothing was trained or held out) and weights_sha256.

Loading needs no pickle and runs no code from the files.
"""

import shutil
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from components.artifacts.errors import UserError
from components.artifacts.feature_network.classifier import Classifier
from components.artifacts.feature_network.convolution import fold
from components.artifacts.feature_network.efficientnet_lite import EfficientNetLite0
from components.artifacts.feature_network.inception import Inception
from components.artifacts.files import read_json, sha256, write_bytes, write_json

FORMAT = "bigbigan-feature-network/1"
_KEYS = {
    "format",
    "kind",
    "name",
    "target",
    "feature_size",
    "outputs",
    "classes",
    "image",
    "channels",
    "input",
    "dataset_version",
    "validation_accuracy",
    "validation_images",
    "weights_sha256",
}


class FeatureNetworkModule(nn.Module):
    """A network with its description. Frozen, in evaluation mode.

    `forward(images)` takes uint8 N×H×W×C and returns features N×D and logits N×K, float32.
    """

    def __init__(self, network: nn.Module, description: dict[str, Any]) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.description = description

    @property
    def name(self) -> str:
        """The word in the keys of metrics: classifier, rotations, effnet_lite0 or inception."""
        return self.description["name"]

    @property
    def target(self) -> str:
        """What the logits stand for: labels (this dataset's classes), rotations or imagenet."""
        return self.description["target"]

    @property
    def feature_size(self) -> int:
        return self.description["feature_size"]

    def prepare(self, device: torch.device) -> None:
        """Moves it to the device in its fastest form: the same numbers up to rounding, but not to be saved any more.

        A published network's normalisations are folded into its convolutions; its images lie channels last; a GPU runs
        compiled code, where there is a C compiler.
        """
        self.to(device)
        if self.description["kind"] == "trained":
            return
        fold(self.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if device.type == "cuda" and shutil.which("cc"):  # which Triton needs
            self.network.compile()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        # In full float32, as the literature's numbers are: CUDA would round convolutions to tf32 unasked.
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False):
            return self.network(images)


def save_feature_network(directory: Path, network: nn.Module, description: dict[str, Any]) -> None:
    """Writes both files into an existing folder. `description` has all keys but format and weights_sha256."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    # One metadata key: safetensors writes several in an order that differs from process to process.
    write_bytes(directory / "network.safetensors", safetensors.torch.save(weights, metadata={"format": FORMAT}))
    content = {**description, "format": FORMAT, "weights_sha256": sha256(directory / "network.safetensors")}
    if content.keys() != _KEYS:
        raise ValueError(f"keys of the description that are missing or unknown: {sorted(content.keys() ^ _KEYS)}")
    write_json(directory / "network.json", content)


def load_feature_network(directory: Path) -> FeatureNetworkModule:
    """Opens the artifact, on the CPU.

    Raises:
        UserError: a file is absent, torn or altered, of another format, or the weights do not fit the description.
    """
    description = read_json(directory / "network.json")
    if not isinstance(description, dict) or description.get("format") != FORMAT or description.keys() != _KEYS:
        raise UserError(
            f"{directory} is not a feature network of format {FORMAT}: run the step `feature_network` again"
        )
    path = directory / "network.safetensors"
    if not path.is_file() or sha256(path) != description["weights_sha256"]:
        raise UserError(f"{path} is missing, torn or altered: run the step `feature_network` again")
    return FeatureNetworkModule(with_weights(_empty(description), read_weights(path), str(path)), description)


def _empty(description: dict[str, Any]) -> nn.Module:
    with torch.device("meta"):
        if description["kind"] == "inception":
            return Inception()
        if description["kind"] == "effnet_lite0":
            return EfficientNetLite0()
        image = description["image"]
        return Classifier(
            image["size"],
            image["channels"],
            description["channels"],
            description["feature_size"],
            description["outputs"],
        )


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises: UserError, if it is absent, torn or of another format."""
    try:
        return safetensors.torch.load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the path of a safetensors file") from None
    except SafetensorError as error:
        raise UserError(f"{path} is torn or not a safetensors file ({error}): make it anew") from None


def with_weights(network: nn.Module, weights: dict[str, Tensor], place: str) -> nn.Module:
    """Puts weights into a network (which may stand on the meta device), after a check of each name, shape and type.

    Raises:
        UserError: a tensor is missing, unknown, or of another shape or type; the first ones are named.
    """
    expected = network.state_dict()
    wrong = [f"{name} is missing" for name in expected if name not in weights]
    wrong += [f"{name} is unknown" for name in weights if name not in expected]
    for name in expected.keys() & weights.keys():
        wanted, given = expected[name], weights[name]
        if wanted.shape != given.shape or wanted.dtype != given.dtype:
            wrong.append(f"{name} is {_describe(given)} and should be {_describe(wanted)}")
    if wrong:
        kind = type(network).__name__
        shown = "; ".join(sorted(wrong)[:3])
        raise UserError(f"{place} does not fit the network {kind}: {shown} ({len(wrong)} differences in all)")
    network.load_state_dict(weights, assign=True)
    return network


def _describe(tensor: Tensor) -> str:
    return f"{'×'.join(map(str, tensor.shape)) or 'scalar'} {str(tensor.dtype).removeprefix('torch.')}"
