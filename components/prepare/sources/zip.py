"""Members of a zip archive, in the order of its table of contents, which is held in memory (½ KB a member)."""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from components.prepare.sources.member import MOST_RATIO, Member, check_ratio
from components.prepare.sources.source import Unreadable, corrupt, damaged

_RATIO_COUNTS_ABOVE = 2**20
_ENCRYPTED = 1


def zip_members(path: Path) -> Iterator[Member]:
    """Raises: UserError, if the archive is damaged, cut off, or a bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            check_ratio(path, sum(entry.file_size for entry in entries))
            for entry in entries:
                if not entry.is_dir():
                    yield _member(archive, entry)
    except zipfile.BadZipFile as error:
        raise damaged(path, "zip archive, or is cut off", error) from None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    def read(count: int) -> bytes | Unreadable:
        if entry.file_size > max(_RATIO_COUNTS_ABOVE, MOST_RATIO * entry.compress_size):
            return Unreadable(f"packed more than {MOST_RATIO} times smaller than it says it is")
        if entry.flag_bits & _ENCRYPTED:
            return Unreadable("encrypted")
        try:
            with archive.open(entry) as file:
                return file.read(count)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            return Unreadable(corrupt(error))

    # Old programs of Windows part folders with backslashes.
    name = entry.filename.replace("\\", "/").encode("utf-8", "surrogateescape")
    mode = entry.external_attr >> 16
    link = "a link in an archive: not followed" if stat.S_ISLNK(mode) else ""
    odd = "not a regular file" if stat.S_IFMT(mode) not in (0, stat.S_IFREG) else ""
    return Member(name, entry.file_size, read, link or odd)
