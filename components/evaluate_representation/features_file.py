"""Features that the user brings, from any network: an .npz with the arrays train, validation and test.

Each is N×F, one row per image of that split, in the order of the dataset's images; F is the same in all three. If the
file also has `dataset_version`, it must be that of the dataset's manifest.
"""

import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from components.artifacts.dataset import SPLITS, Dataset
from components.artifacts.errors import UserError
from components.artifacts.files import sha256
from components.artifacts.ranks import Ranks
from components.evaluate_representation.cache import obtain

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ROWS_AT_ONCE = 2**24
_BAD_ZIP = (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError)


def view_of(name: str) -> str:
    """How the view of the file with this name is called, also in the keys of metrics."""
    return f"features_{name}"


def parse(arguments: Sequence[str]) -> dict[str, Path]:
    """`NAME=FILE`, each -> file by name. Raises: UserError, if one is of another form or a name is given twice."""
    files: dict[str, Path] = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or not path or not _NAME.fullmatch(name) or re.search("_per_class|_percent", name):
            raise UserError(
                f"--features {argument}: write NAME=FILE.npz. The name becomes part of metrics' keys: small letters, "
                'digits and _, a letter first, without "_per_class" and "_percent"'
            )
        if name in files:
            raise UserError(f"--features {argument}: the name {name} is given twice: choose another")
        files[name] = Path(path)
    return files


def obtain_file(cache: Path, name: str, path: Path, dataset: Dataset, ranks: Ranks) -> Path:
    """The folder in the cache with the file's arrays, `<split>.npy`, checked against the dataset; see `obtain`.

    Raises:
        UserError: the file is absent, no .npz, was made for another version of the dataset, lacks an array, or has one
            with another number of rows, not of numbers or with values that are not finite.
    """
    if not path.is_file():
        raise UserError(f"--features {name}={path}: there is no such file")
    identity = {"file": sha256(path), "dataset": dataset.manifest["version"]}

    def write(directory: Path) -> None:
        if ranks.writes:
            _unpack(path, directory)
            _check(path, directory, dataset)

    return obtain(cache, view_of(name), identity, write, ranks)[0]


def _unpack(path: Path, directory: Path) -> None:
    """Copies the members out as they are, so that no array is ever in memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [split for split in SPLITS if f"{split}.npy" not in archive.namelist()]
            if missing:
                found = ", ".join(name.removesuffix(".npy") for name in archive.namelist()) or "nothing"
                raise UserError(f"{path} has no array {missing[0]} (it has: {found}): save one for each split")
            for split in SPLITS:
                with archive.open(f"{split}.npy") as source, (directory / f"{split}.npy").open("wb") as target:
                    shutil.copyfileobj(source, target, 2**20)
    except _BAD_ZIP as error:
        raise UserError(f"{path} cannot be read as .npz ({error}): write it with numpy.savez") from None


def _check(path: Path, directory: Path, dataset: Dataset) -> None:
    version = _version(path)
    if version is not None and version != dataset.manifest["version"]:
        raise UserError(
            f"{path} was made for version {version} of the dataset, and this is {dataset.manifest['version']}: "
            "compute the features of this dataset's images"
        )
    widths = {}
    for split in SPLITS:
        try:
            array = np.load(directory / f"{split}.npy", mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise UserError(f"{path}: the array {split} cannot be read ({error}): save plain numbers") from None
        images = len(getattr(dataset, split))
        if array.ndim != 2 or array.shape[0] != images or array.shape[1] == 0:
            shape = "×".join(map(str, array.shape)) or "a single number"
            raise UserError(
                f"{path}: the array {split} is {shape}; it must be {images}×F: one row per image of this split, in "
                "the dataset's order"
            )
        if array.dtype.kind not in "fiub":
            raise UserError(f"{path}: the array {split} holds {array.dtype}, not real numbers")
        widths[split] = array.shape[1]
        step = max(1, _ROWS_AT_ONCE // array.shape[1])
        for start in range(0, images, step):
            bad = ~np.isfinite(array[start : start + step].astype(np.float32)).all(1)
            if bad.any():
                row = start + int(bad.argmax())
                raise UserError(f"{path}: the array {split} has NaN or infinity in row {row}: mend it")
    if len(set(widths.values())) > 1:
        raise UserError(f"{path}: the splits have {widths} features: all must come from one network")


def _version(path: Path) -> str | None:
    with np.load(path, allow_pickle=False) as arrays:
        return str(arrays["dataset_version"]) if "dataset_version" in arrays else None
