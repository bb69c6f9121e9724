"""Turns the usual PyTorch file of TensorFlow's Inception into the safetensors file that this project reads.

IN.pth is the state dict that pytorch-fid and torch-fidelity use for FID: TensorFlow's graph of 2015-12-05, ported
(pt_inception-2015-12-05-6726825d.pth or weights-inception-2015-12-05-6726825d.pth, the same 95,628,359 bytes; 94
convolutions, a last layer of 1008 x 2048). Both projects have it among the releases on their GitHub pages.
torchvision's own Inception has other weights and is refused. A .pth file is a pickle: it is opened in PyTorch's
weights-only mode, and only if its sha256 is that of the published file. What comes out is checked by its own sha256
whenever it is used. This and the kind effnet_lite0 are all that opens such a file.
"""

import argparse
from pathlib import Path

import safetensors.torch

from components.artifacts.command import run
from components.artifacts.feature_network.inception import Inception
from components.artifacts.files import sha256, write_bytes
from components.feature_network.published import published, read_state_dict

PUBLISHED_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


def convert(source: Path, target: Path, source_sha256: str) -> None:
    """Checks the file's hash, and each tensor's name, shape and type, then writes. Raises: UserError, see above."""
    weights = read_state_dict(source, source_sha256)
    published(Inception, weights, str(source))
    write_bytes(target, safetensors.torch.save(weights))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.feature_network.convert_inception",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="IN.pth", type=Path, help="the state dict described above")
    parser.add_argument("target", metavar="OUT.safetensors", type=Path, help="the file to write")
    parser.add_argument(
        "--source-sha256",
        metavar="HEX",
        default=PUBLISHED_SHA256,
        help="what IN.pth's sha256 must be, if it is another port of the same graph that you trust; the published "
        "file's: %(default)s",
    )
    args = parser.parse_args()
    convert(args.source, args.target, args.source_sha256)
    print(f"{args.target} written; use it with")
    print(f"feature_network=inception feature_network.inception_weights={args.target}")
    print(f"feature_network.inception_sha256={sha256(args.target)}")


if __name__ == "__main__":
    run(main)
