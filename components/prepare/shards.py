"""Images of one split in shards: each image has its slot before any is decoded, so that they may come in any order.

A shard is a plain file, not a memory map: on a full disk a write to the one is an `OSError`, to the other the death
of the process.
"""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEADER_BYTES = 128


@dataclass(frozen=True)
class Shards:
    """`<directory>/images-NNNNN.npy`, uint8, N×H×W×C each.

    Attributes:
        shape: H, W, C of each image.
        slots: images that there is room for.
        shard_images: images in a shard, at most.
    """

    directory: Path
    shape: tuple[int, int, int]
    slots: int
    shard_images: int

    @property
    def paths(self) -> list[Path]:
        return [self.directory / f"images-{n:05d}.npy" for n in range(-(-self.slots // self.shard_images))]

    def make_room(self) -> None:
        """Creates the files, without an image in them. Images that are there already stay."""
        self.directory.mkdir(exist_ok=True)
        for number, path in enumerate(self.paths):
            with path.open("r+b" if path.exists() else "w+b") as file:
                self._finish(file, self._slots_in(number))

    def put(self, slots: Iterable[int], images: Iterable[np.ndarray]) -> None:
        """Writes images (uint8, H×W×C) into their slots. Several processes may do so at a time."""
        files: dict[int, BinaryIO] = {}
        try:
            for slot, pixels in zip(slots, images, strict=True):
                number, place = divmod(slot, self.shard_images)
                if number not in files:
                    files[number] = self.paths[number].open("r+b", buffering=0)
                files[number].seek(self._offset(place))
                _write_all(files[number], pixels.tobytes())
        finally:
            for file in files.values():
                file.close()

    def digests(self) -> Iterator[bytes]:
        """sha256 of what is in each slot."""
        for number, path in enumerate(self.paths):
            with path.open("rb") as file:
                file.seek(_HEADER_BYTES)
                for _ in range(self._slots_in(number)):
                    yield hashlib.sha256(file.read(self._image_bytes)).digest()

    def close_gaps(self, kept: np.ndarray) -> bytes:
        """Removes the slots that are not `kept` (bool, one per slot), and brings all to the disk.

        Works in place: killed on the way, it leaves images in wrong slots, which `digests` tells.

        Returns:
            sha256 over the pixels that are left, in the order of the slots, whatever the shards.
        """
        pixels = hashlib.sha256()
        for number, path in enumerate(self.paths):
            count = 0
            with path.open("r+b") as file:
                for place in range(self._slots_in(number)):
                    if not kept[number * self.shard_images + place]:
                        continue
                    file.seek(self._offset(place))
                    content = file.read(self._image_bytes)
                    pixels.update(content)
                    if count < place:
                        file.seek(self._offset(count))
                        file.write(content)
                    count += 1
                if count:
                    self._finish(file, count)
            if not count:
                path.unlink()
        return pixels.digest()

    @property
    def _image_bytes(self) -> int:
        height, width, channels = self.shape
        return height * width * channels

    def _slots_in(self, shard: int) -> int:
        return min(self.shard_images, self.slots - shard * self.shard_images)

    def _offset(self, place: int) -> int:
        return _HEADER_BYTES + place * self._image_bytes

    def _finish(self, file: BinaryIO, count: int) -> None:
        """Gives a shard the header and the length of `count` images."""
        header = io.BytesIO()
        description = np.lib.format.dtype_to_descr(np.dtype(np.uint8))
        np.lib.format.write_array_header_1_0(
            header, {"descr": description, "fortran_order": False, "shape": (count, *self.shape)}
        )
        assert len(header.getvalue()) == _HEADER_BYTES
        file.seek(0)
        file.write(header.getvalue())
        file.truncate(self._offset(count))
        file.flush()
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]
