"""Images and labels of a source -> the files of the dataset artifact."""

import csv
import hashlib
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from components.artifacts.dataset import SPLITS
from components.artifacts.parameters import Image
from components.prepare.decode_all import Task, available_cores, decode_all
from components.prepare.shards import Shards
from components.prepare.sources.source import PART_IMAGES, Source, printable
from components.prepare.unfinished import DIGEST_BYTES, read_records, record_type


@dataclass(frozen=True)
class Written:
    """What became of the images of a source.

    Attributes:
        split: of each image, its number in `SPLITS` (int8, N).
        slot: of each image, in its split's shards (int64, N).
        shards: of each split.
        accepted: which images lie in their slots (bool, N).
        records: of the accepted images (`unfinished.record_type`, N); of the others, only `content`.
        reasons: why each of the others was rejected.
    """

    split: np.ndarray
    slot: np.ndarray
    shards: dict[str, Shards]
    accepted: np.ndarray
    records: np.ndarray
    reasons: dict[int, str]

    def of(self, split: str) -> np.ndarray:
        """Indices of the accepted images of a split, in the order of the shards."""
        return np.flatnonzero(self.accepted & (self.split == SPLITS.index(split)))


def write_images(folder: Path, source: Source, splits: list[str], image: Image, shard_images: int) -> Written:
    """Decodes every image that is not done yet, and puts those that can be used into the shards of their splits.

    Args:
        folder: of the unfinished work (`unfinished.unfinished`).
        splits: of each image. They were drawn before anything is decoded, so that a file which breaks moves no other.
    """
    written = _begin(folder, source, splits, image, shard_images)
    accepted, records = written.accepted, written.records
    done = int(accepted.sum())
    if done:
        print(f"going on: {done:,} of {len(accepted):,} images are done", file=sys.stderr)
    parts = -(-(len(accepted) - done) // PART_IMAGES)
    workers = 1 if source.in_memory else min(available_cores(), parts)
    finished = decode_all(_tasks(source, written), image, written.shards, workers)
    bar = tqdm(total=len(accepted), initial=done, desc="decoding", unit="image", smoothing=0)
    with (folder / "outcomes").open("ab") as log, closing(finished), bar:
        for part in finished:
            log.write(part.records.tobytes())
            log.flush()
            records[part.records["image"]] = part.records
            accepted[part.records["image"]] = True
            for index, content, reason in part.rejected:
                records["content"][index] = np.frombuffer(content.ljust(DIGEST_BYTES, b"\0"), np.uint8)
                written.reasons[index] = reason
            bar.update(len(part.records) + len(part.rejected))
    return written


def _begin(folder: Path, source: Source, splits: list[str], image: Image, shard_images: int) -> Written:
    """What is done already."""
    count, number = len(source.names), {name: index for index, name in enumerate(SPLITS)}
    split = np.fromiter((number[name] for name in splits), np.int8, count)
    slot, shards = np.zeros(count, np.int64), {}
    accepted, records = np.zeros(count, bool), np.zeros(count, record_type(image.channels))
    stored = read_records(folder / "outcomes", records.dtype)
    records[stored["image"]] = stored
    accepted[stored["image"]] = True
    for index, name in enumerate(SPLITS):
        members = np.flatnonzero(split == index)
        slot[members] = np.arange(len(members))
        shape = (image.size, image.size, image.channels)
        shards[name] = Shards(folder / "dataset" / name, shape, len(members), shard_images)
        shards[name].make_room()
        if accepted[members].any():
            lying = _digests(name, shards[name])
            accepted[members] &= (records["pixels"][members] == lying).all(1)
    return Written(split, slot, shards, accepted, records, {})


def _digests(name: str, shards: Shards) -> np.ndarray:
    """uint8, slots×32."""
    digests = tqdm(shards.digests(), total=shards.slots, desc=f"checking {name}", unit="image", smoothing=0)
    return np.frombuffer(b"".join(digests), np.uint8).reshape(shards.slots, DIGEST_BYTES)


def _tasks(source: Source, written: Written) -> Iterator[Task]:
    for indices, part in source.parts(~written.accepted):
        places = [(SPLITS[written.split[index]], int(written.slot[index])) for index in indices]
        yield Task(part, indices, places)


def write_labels(directory: Path, source: Source, written: Written) -> tuple[list[str] | None, dict[str, np.ndarray]]:
    """Writes `<directory>/<split>/labels.npy`, if there are labels.

    Returns:
        The classes that still have an image, and per split the numbers of the classes among these (int64, N); None and
        no splits where the source has no labels.
    """
    classes, numbers = source.labelling.classes, source.labelling.labels
    if classes is None or numbers is None:
        return None, {}
    present = np.unique(numbers[written.accepted])
    labels = {name: np.searchsorted(present, numbers[written.of(name)]).astype(np.int64) for name in SPLITS}
    for name in SPLITS:
        np.save(directory / name / "labels.npy", labels[name])
    return [classes[label] for label in present], labels


def write_rejected(path: Path, lines: list[tuple[str, str]]) -> None:
    """Writes (path, reason) of all that was not taken, sorted, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "reason"))
        writer.writerows(sorted(lines))


def rejected(source: Source, written: Written) -> list[tuple[str, str]]:
    """(path, reason), sorted."""
    return sorted((printable(source.names[index]), reason) for index, reason in written.reasons.items())


def version(counts: dict[str, int], pixels: dict[str, bytes], labels: dict[str, np.ndarray], image: Image) -> str:
    """A hash over all image and label bytes, split by split, whatever the shards: 64 hexadecimal digits.

    Args:
        counts: images in each split.
        pixels: sha256 over the pixels of each split.
        labels: int64, N, of each split; empty if there are none.
    """
    total = hashlib.sha256(f"{image.size}x{image.size}x{image.channels}".encode())
    for name in SPLITS:
        total.update(f"{name}:{counts[name]}:".encode())
        total.update(pixels[name])
        total.update(labels[name].astype("<i8").tobytes() if labels else b"")
    return total.hexdigest()
