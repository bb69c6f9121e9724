"""Which kind of source something is."""

from pathlib import Path

from components.artifacts.errors import UserError
from components.prepare.sources.archive import SUFFIXES as ARCHIVES
from components.prepare.sources.archive import read_archive
from components.prepare.sources.folder import read_folder
from components.prepare.sources.idx import find_idx, is_idx, read_idx
from components.prepare.sources.listed import SUFFIXES as LISTS
from components.prepare.sources.listed import read_list
from components.prepare.sources.npz import read_npz
from components.prepare.sources.s3 import SCHEME, read_s3
from components.prepare.sources.source import Source

KINDS = (
    "a folder of images, an archive of one (.tar, .tar.gz, .tar.bz2, .tar.xz, .zip), MNIST's idx files or their "
    "folder, a .npz file, a list (.csv, .jsonl), or s3://bucket/prefix"
)


def read_source(place: str) -> Source:
    """Args:
        place: a path, or an `s3://` URI.

    Raises:
        UserError: there is nothing at `place`, or nothing that can be read.
    """
    if place.startswith(SCHEME):
        return read_s3(place)
    path = Path(place)
    if path.is_dir():
        idx = find_idx(path)
        return read_idx(path, idx) if idx else read_folder(path)
    if not path.exists():
        raise UserError(f"the source {path} does not exist: give {KINDS}")
    name = path.name.lower()
    if path.is_file():
        if name.endswith(".npz"):
            return read_npz(path)
        if name.endswith(ARCHIVES):
            return read_archive(path)
        if name.endswith(LISTS):
            return read_list(path)
        if is_idx(path):
            return read_idx(path, [path])
    raise UserError(f"the source {path} is of no kind that is known: give {KINDS}")
