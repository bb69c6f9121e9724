"""A dataset in the making: a folder beside the output, from which the same command goes on after a kill.

    .unfinished-<output>/key        what the work depends on; work of another key is removed
    .unfinished-<output>/lock       held by the process that works here
    .unfinished-<output>/outcomes   what became of each image that is in its shard already, one record after the other
    .unfinished-<output>/dataset/   becomes the output

It lies outside of the output, which DVC removes before it runs a stage; and it is one per output, so that nothing piles
up. An image counts as done if it has a record and what lies in its slot has the record's digest. So it does not matter
in which order a dying machine brought pixels and records to its disk. Rejected images have no record: there are few,
and they are tried again.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from components import prepare
from components.artifacts.code_hash import code_hash
from components.artifacts.errors import UserError
from components.artifacts.files import write_bytes

DIGEST_BYTES = 32


def key_of(depends_on: dict[str, Any]) -> str:
    """A hash of `depends_on` (plain JSON content), and of the code that decodes."""
    text = json.dumps(depends_on, sort_keys=True) + code_hash(Path(prepare.__path__[0]))
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def unfinished(output: Path, key: str) -> Iterator[Path]:
    """Yields the folder of the unfinished work for `output`, and removes it when the block ends well.

    Raises: UserError, if another process works in it.
    """
    folder = output.parent / f".unfinished-{output.name}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        _take(lock.fileno(), folder, output)
        if not _is_of(folder, key):
            _empty(folder)
            write_bytes(folder / "key", key.encode())
        (folder / "dataset").mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def _take(descriptor: int, folder: Path, output: Path) -> None:
    try:
        # The operating system gives the lock back when its holder dies, however it dies.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"another process prepares {output} (in {folder}): wait until it ends") from None


def _is_of(folder: Path, key: str) -> bool:
    return (folder / "key").is_file() and (folder / "key").read_text() == key


def _empty(folder: Path) -> None:
    # The key goes first: a kill on the way leaves work that is nobody's.
    for path in sorted(folder.iterdir(), key=lambda path: path.name != "key"):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


# ----------------------------------------------------------------------------------------------- outcomes


def record_type(channels: int) -> np.dtype:
    """What is known of an image that is in its shard.

    Fields: `image`, its index in the source; `content`, sha256 of what was read; `pixels`, sha256 of what is stored;
    `short_side` of the image as it was, in pixels; `sums` and `squares` of its stored levels, per channel.
    """
    digest = (np.uint8, (DIGEST_BYTES,))
    sums = (np.float64, (channels,))
    return np.dtype(
        [("image", "<i8"), ("content", *digest), ("pixels", *digest), ("short_side", "<u4"), ("sums", *sums),
         ("squares", *sums)]
    )  # fmt: skip


def read_records(path: Path, record: np.dtype) -> np.ndarray:
    """All whole records of the file, of which a torn last one is cut off."""
    if not path.exists():
        return np.zeros(0, record)
    whole = path.stat().st_size // record.itemsize
    os.truncate(path, whole * record.itemsize)
    return np.fromfile(path, record)
