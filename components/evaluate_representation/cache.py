"""Features on disk, by what they are features of: a later run takes them instead of computing them again.

    <cache>/<name>-<hash of the identity>/entry.json     written last: what it is of, and each file's size
                                          <any>.npy      float32, N×F, to be memory-mapped

An entry without its entry.json, or with files of other sizes, counts as absent and is written again. Nothing else
than such entries lies in a cache, and it may be deleted whenever no run uses it.

Float32, because a reused feature is then the fresh one to the last bit. Half precision would halve 42 GB (ImageNet's
train images, 8,192 features each), but moves near ties of nearest neighbours and the signs of BN+CReLU.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from components.artifacts.errors import UserError
from components.artifacts.files import read_json, write_json
from components.artifacts.ranks import Ranks

FORMAT = "bigbigan-features/1"
_ENTRY = "entry.json"


def obtain(
    cache: Path, name: str, identity: Mapping[str, Any], write: Callable[[Path], None], ranks: Ranks
) -> tuple[Path, bool]:
    """The folder of an entry, and whether it was there before; all ranks call this together.

    Args:
        identity: all that the features depend on, as plain values.
        write: called on each rank, with an empty folder, if there is no such entry: puts the files there. Of two runs
            that want the same entry at a time, one waits for the other.
    """
    identity = {"format": FORMAT, **identity}
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    directory = cache / f"{name}-{digest[:16]}"
    with _locked(directory, ranks):
        if not ranks.any(ranks.writes and not _is_whole(directory, identity)):
            return directory, True
        if ranks.writes:
            for leftover in directory.iterdir():
                leftover.unlink()
        ranks.wait()
        write(directory)
        ranks.wait()
        if ranks.writes:
            sizes = {path.name: _to_disk(path) for path in sorted(directory.glob("*.npy"))}
            write_json(directory / _ENTRY, {"identity": identity, "files": sizes})
        ranks.wait()
    return directory, False


def weights_hash(network: nn.Module) -> str:
    """The hash of a network's weights and buffers, with their names and shapes: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for key, value in network.state_dict().items():
        digest.update(f"{key} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _is_whole(directory: Path, identity: Mapping[str, Any]) -> bool:
    try:
        entry = read_json(directory / _ENTRY)
    except UserError:
        return False
    files = {path.name: path.stat().st_size for path in directory.glob("*.npy")}
    return bool(entry == {"identity": identity, "files": files} and files)


def _to_disk(path: Path) -> int:
    """Makes sure that a power cut leaves the file whole. Returns its size in bytes."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path.stat().st_size


@contextmanager
def _locked(directory: Path, ranks: Ranks) -> Iterator[None]:
    if not ranks.writes:
        yield
        return
    directory.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f".{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the system, however this process ends
        yield
