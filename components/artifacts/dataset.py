"""The dataset artifact: uint8 images that can be memory-mapped, with optional labels.

    <directory>/manifest.json           counts, sizes, checksums, source, what was rejected and why
    <directory>/<split>/images-00000.npy   uint8, N×H×W×C, at most `shard_images` each; splits: train, validation, test
    <directory>/<split>/labels.npy         int64, N; only if the manifest names classes
    <directory>/rejected.csv            one line per image that was not taken
    <directory>/contact_sheet.png       some of train, to look at
    <directory>/data_sheet.png          counts, sizes and levels, to look at

The same input and parameters give the same bytes. Training reads images only, never labels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from components.artifacts.errors import UserError
from components.artifacts.files import read_json, sha256

FORMAT = "bigbigan-dataset/1"
SPLITS = ("train", "validation", "test")
_READ_BY_STEPS = ("version", "image", "classes", "files")


@dataclass(frozen=True)
class Split:
    """One part of a dataset. `len()` is the number of images."""

    shards: list[np.ndarray]
    labels: np.ndarray | None

    def __len__(self) -> int:
        return sum(len(shard) for shard in self.shards)

    def images(self, indices: Iterable[int] | None = None) -> np.ndarray:
        """The images at `indices` (all, if none are given), copied into memory: uint8, N×H×W×C."""
        if indices is None:
            return np.concatenate(self.shards)
        starts = np.cumsum([0] + [len(shard) for shard in self.shards])
        wanted = np.asarray(list(indices), dtype=np.int64)
        which = np.searchsorted(starts, wanted, side="right") - 1
        picked = np.empty((len(wanted), *self.shards[0].shape[1:]), np.uint8)
        for shard in np.unique(which):
            here = which == shard
            picked[here] = self.shards[shard][wanted[here] - starts[shard]]
        return picked


@dataclass(frozen=True)
class Dataset:
    """An opened dataset artifact.

    `manifest["classes"]` holds the class names in the order of the label numbers, or is null;
    `manifest["version"]` is a hash over all image and label bytes.
    """

    manifest: dict[str, Any]
    train: Split
    validation: Split
    test: Split

    @property
    def classes(self) -> list[str] | None:
        return self.manifest["classes"]


def open_dataset(directory: Path, verify: bool = False) -> Dataset:
    """Opens a dataset without reading its images.

    Args:
        verify: read every file once and compare its sha256 with the manifest's.

    Raises:
        UserError: the folder is no dataset, is of another format, or lacks, truncates or alters a file.
    """
    manifest = read_json(directory / "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{directory} is not a dataset of format {FORMAT}: run the step `prepare` again")
    missing = [key for key in _READ_BY_STEPS if key not in manifest]
    if missing or not _lists_files(manifest):
        what = f"lacks {', '.join(missing)}" if missing else "does not list its files with their sizes"
        raise UserError(f"{directory / 'manifest.json'} {what}: run the step `prepare` again")
    for name, expected in manifest["files"].items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != expected["bytes"]:
            raise UserError(f"{path} is missing or has another size than the manifest says: run `prepare` again")
        if verify and sha256(path) != expected.get("sha256"):
            raise UserError(f"{path} was changed after it was written: run the step `prepare` again")
    return Dataset(manifest, *(_open_split(directory, manifest, name) for name in SPLITS))


def _lists_files(manifest: dict[str, Any]) -> bool:
    files = manifest["files"]
    return isinstance(files, dict) and all(isinstance(entry, dict) and "bytes" in entry for entry in files.values())


def _open_split(directory: Path, manifest: dict[str, Any], split: str) -> Split:
    names = sorted(name for name in manifest["files"] if name.startswith(f"{split}/images-"))
    if not names:
        raise UserError(f"{directory / 'manifest.json'} names no images of the split {split}: run `prepare` again")
    shards = [_load(directory / name, mmap_mode="r") for name in names]
    labels = None if manifest["classes"] is None else _load(directory / split / "labels.npy")
    return Split(shards, labels)


def _load(path: Path, mmap_mode: Literal["r"] | None = None) -> np.ndarray:
    try:
        return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read ({error}): run the step `prepare` again") from None
