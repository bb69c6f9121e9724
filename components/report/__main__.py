"""Prints the block that ends `make run`, from what the workflow has left on disk; computes and writes nothing.

It shows the probe's and kNN's accuracy beside raw pixels and an untrained encoder, the Fréchet distance beside that
of real held-out images, whether the model was registered and why, the pictures, and three commands to go on with.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.artifacts.command import run
from components.artifacts.errors import UserError
from components.artifacts.files import read_json
from components.artifacts.metrics import read_metrics
from components.report.block import closing_block


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--registration", type=Path, required=True, metavar="DIR", help="what the step `register` has decided"
    )
    parser.add_argument("--metrics", type=Path, required=True, nargs="+", metavar="DIR", help="metrics artifacts")
    parser.add_argument(
        "--pictures",
        type=Path,
        nargs="*",
        default=[],
        metavar="PATH",
        help="more PNG files, or folders of them, to name with those of --metrics; what is absent is left out",
    )
    args = parser.parse_args()

    registration = _read_registration(args.registration)
    for directory in args.metrics:
        _must_exist(directory / "metrics.json")
    artifacts = {directory: read_metrics(directory) for directory in args.metrics}
    print(closing_block(registration, artifacts, _find_pictures([*args.pictures, *args.metrics])))


def _read_registration(directory: Path) -> dict[str, Any]:
    path = directory / "registration.json"
    _must_exist(path)
    registration = read_json(path)
    expected = {"name", "registered", "version", "champion", "reasons"}
    if not isinstance(registration, dict) or expected - registration.keys():
        raise UserError(f"{path} is no decision of the step `register`: run `dvc repro`")
    return registration


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path} does not exist yet: run `dvc repro` to the end first")


def _find_pictures(places: Sequence[Path]) -> list[Path]:
    return [path for place in places for path in ([place] if place.is_file() else sorted(place.glob("*.png")))]


if __name__ == "__main__":
    run(main)
