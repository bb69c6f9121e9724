"""Images of one split, written to shards as they come."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np


class ShardWriter:
    """Writes `<directory>/images-NNNNN.npy`, uint8, N×H×W×C each, and holds no image.

    A shard is a plain file that grows, not a memory map: on a full disk a write to the one is an `OSError`, to the
    other the death of the process.
    """

    def __init__(self, directory: Path, shape: tuple[int, int, int], shard_images: int) -> None:
        """shape: H, W, C of each image; shard_images: images in a shard, at most."""
        self.count = 0
        self.pixels = hashlib.sha256()
        self._directory = directory
        self._shape = shape
        self._shard_images = shard_images
        self._file: BinaryIO | None = None
        self._in_shard = 0
        directory.mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()

    def add(self, pixels: np.ndarray) -> None:
        """pixels: uint8, H×W×C."""
        if self._file is None:
            path = self._directory / f"images-{self.count // self._shard_images:05d}.npy"
            self._file = path.open("wb")
            self._write_header(self._file)
        content = pixels.tobytes()
        self._file.write(content)
        self.pixels.update(content)
        self.count += 1
        self._in_shard += 1
        if self._in_shard == self._shard_images:
            self._close()

    def _close(self) -> None:
        if self._file is None:
            return
        with self._file as file:
            # The header's length does not depend on N: numpy pads it for a growing first axis.
            file.seek(0)
            self._write_header(file)
            file.flush()
            os.fsync(file.fileno())
        self._file, self._in_shard = None, 0

    def _write_header(self, file: BinaryIO) -> None:
        description = np.lib.format.dtype_to_descr(np.dtype(np.uint8))
        header = {"descr": description, "fortran_order": False, "shape": (self._in_shard, *self._shape)}
        np.lib.format.write_array_header_1_0(file, header)
