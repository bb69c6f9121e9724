"""Members of a tar archive, plain or packed by gzip, bzip2 or xz, in one pass from front to back."""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from components.artifacts.errors import UserError
from components.prepare.sources.member import Member, check_ratio
from components.prepare.sources.source import Unreadable, damaged

_PACKERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
_END = bytes(tarfile.BLOCKSIZE)


def tar_members(path: Path) -> Iterator[Member]:
    """Raises: UserError, if the archive is damaged, cut off, or a bomb."""
    try:
        with _unpacked(path) as file:
            watched = _LastRead(file)
            with tarfile.open(fileobj=watched, mode="r:", errorlevel=2) as archive:
                while (entry := archive.next()) is not None:
                    check_ratio(path, entry.offset_data + (0 if entry.issparse() else entry.size))
                    if not entry.isdir():
                        yield _member(archive, entry)
                    archive.members.clear()  # type: ignore[attr-defined]
            if watched.last != _END:
                raise UserError(f"{path} is cut off: its end is missing; fetch or make it anew")
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise damaged(path, "tar archive, or is cut off", error) from None
    except OSError as error:
        if error.errno is not None:  # bz2 raises it without a number, the disk with one.
            raise
        raise damaged(path, "tar archive, or is cut off", error) from None


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, unpack in _PACKERS:
        if start.startswith(magic):
            return unpack(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


class _LastRead:
    """A file that remembers what was read last: tarfile does not tell an archive's end from a missing one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.last = b""

    def read(self, count: int = -1) -> bytes:
        self.last = self._file.read(count)
        return self.last

    def seek(self, position: int, whence: int = 0) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _member(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Member:
    def read(count: int) -> bytes | Unreadable:
        content = archive.extractfile(entry)
        assert content is not None
        return content.read(count)

    name = entry.name.encode("utf-8", "surrogateescape")
    return Member(name, entry.size, read, _why_not_read(entry))


def _why_not_read(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return "a link in an archive: not followed"
    return "" if entry.isreg() else "not a regular file"
