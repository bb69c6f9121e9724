"""Turns the usual PyTorch file of TensorFlow's Inception into the safetensors file that this project reads.

IN.pth is the state dict that pytorch-fid and torch-fidelity use for FID: TensorFlow's graph of 2015-12-05, ported
(pt_inception-2015-12-05-6726825d.pth or weights-inception-2015-12-05-6726825d.pth; 94 convolutions, a last layer
of 1008 x 2048). torchvision's own Inception has other weights and is refused. A .pth file is a pickle: although
it is opened in PyTorch's weights-only mode, convert only a file that you trust. This is the only command here that
opens one.
"""

import argparse
import io
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from components.artifacts.command import run
from components.artifacts.errors import UserError
from components.artifacts.files import write_bytes
from components.feature_network.inception import inception_with


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The float tensors of a pickled state dict, without the batch counters of batch normalisation.

    Raises:
        UserError: the file is absent, torn, holds more than tensors, or is not a state dict.
    """
    try:
        file = io.BytesIO(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the path of the .pth file") from None
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    # The bytes are in memory, and on foreign ones the unpickler fails in any way it likes (IndexError, say).
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".strip().split("\n")[0]
        raise UserError(f"{path} is torn, or holds more than plain tensors ({reason}): fetch it anew") from None
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{path} is not a state dict of tensors: give the file that --help describes")
    return {name: value.contiguous() for name, value in content.items() if not name.endswith("num_batches_tracked")}


def convert(source: Path, target: Path) -> None:
    """Checks each tensor's name, shape and type, then writes. Raises: UserError, see above."""
    weights = read_state_dict(source)
    inception_with(weights, str(source))
    write_bytes(target, safetensors.torch.save(weights))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.feature_network.convert_inception",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="IN.pth", type=Path, help="the state dict described above")
    parser.add_argument("target", metavar="OUT.safetensors", type=Path, help="the file to write")
    args = parser.parse_args()
    convert(args.source, args.target)
    print(
        f"{args.target} written; use it with feature_network=inception feature_network.inception_weights={args.target}"
    )


if __name__ == "__main__":
    run(main)
