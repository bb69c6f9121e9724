"""Decoded images and labels -> the files of the dataset artifact, in one pass over the source."""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.artifacts.dataset import SPLITS
from components.artifacts.parameters import Image
from components.prepare.decode import Outcome
from components.prepare.decode_all import available_cores, decode_all
from components.prepare.shards import ShardWriter
from components.prepare.source import Source, printable


@dataclass(frozen=True)
class Written:
    """What became of the images of a source.

    Attributes:
        accepted: per split, the indices of the images in it, in the order of the shards.
        digests: sha256 of each image's content as it was read; empty where it could not be.
        rejected: (path, reason), sorted.
        enlarged: accepted images whose short side was below `image.size`.
        pixel_hashes: per split, sha256 over all pixels, whatever the shards.
    """

    accepted: dict[str, list[int]]
    digests: list[bytes]
    rejected: list[tuple[str, str]]
    enlarged: int
    pixel_hashes: dict[str, bytes]


def write_images(directory: Path, source: Source, splits: list[str], image: Image, shard_images: int) -> Written:
    """Decodes every image and writes those that can be used to `<directory>/<split>/images-NNNNN.npy`.

    Args:
        splits: of each image. They were drawn before anything is decoded, so that a file which breaks moves no other.
    """
    order = {name: [index for index, split in enumerate(splits) if split == name] for name in SPLITS}
    payloads = [source.payloads[index] for name in SPLITS for index in order[name]]
    # Pixels would take longer to travel to another process than to be fitted in this one.
    workers = available_cores() if source.kind == "folder" else 1
    accepted: dict[str, list[int]] = {name: [] for name in SPLITS}
    digests = [b""] * len(splits)
    rejected, enlarged, pixel_hashes = [], 0, {}
    with closing(decode_all(payloads, image, workers)) as outcomes:
        for name in SPLITS:
            with ShardWriter(directory / name, (image.size, image.size, image.channels), shard_images) as shards:
                for index, outcome in _next(order[name], outcomes):
                    digests[index] = outcome.digest
                    if outcome.pixels is None:
                        rejected.append((printable(source.names[index]), outcome.reason))
                        continue
                    shards.add(outcome.pixels)
                    accepted[name].append(index)
                    enlarged += outcome.enlarged
            pixel_hashes[name] = shards.pixels.digest()
    return Written(accepted, digests, sorted(rejected), enlarged, pixel_hashes)


def _next(indices: list[int], outcomes: Iterator[Outcome]) -> Iterator[tuple[int, Outcome]]:
    for index in indices:
        yield index, next(outcomes)


def write_labels(
    directory: Path, source: Source, accepted: dict[str, list[int]]
) -> tuple[list[str] | None, dict[str, np.ndarray]]:
    """Writes `<directory>/<split>/labels.npy`, if there are labels.

    Returns:
        The classes that still have an image, and per split the numbers of the classes among these (int64, N); None and
        no splits where the source has no labels.
    """
    if source.classes is None or source.labels is None:
        return None, {}
    present = np.unique(source.labels[[index for name in SPLITS for index in accepted[name]]])
    labels = {name: np.searchsorted(present, source.labels[accepted[name]]).astype(np.int64) for name in SPLITS}
    for name in SPLITS:
        np.save(directory / name / "labels.npy", labels[name])
    return [source.classes[label] for label in present], labels


def write_rejected(path: Path, lines: list[tuple[str, str]]) -> None:
    """Writes (path, reason) of all that was not taken, sorted, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "reason"))
        writer.writerows(sorted(lines))


def version(written: Written, labels: dict[str, np.ndarray], image: Image) -> str:
    """A hash over all image and label bytes, split by split, whatever the shards: 64 hexadecimal digits."""
    total = hashlib.sha256(f"{image.size}x{image.size}x{image.channels}".encode())
    for name in SPLITS:
        total.update(f"{name}:{len(written.accepted[name])}:".encode())
        total.update(written.pixel_hashes[name])
        total.update(labels[name].astype("<i8").tobytes() if labels else b"")
    return total.hexdigest()
