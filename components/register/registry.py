"""The registry: immutable versions and an append-only record of which of them is champion, in a directory.

    <root>/versions/000001/entry.json        what it is, where it came from, why it was let in; sha256 of every file
    <root>/versions/000001/card.md           the model card
    <root>/versions/000001/resolved.yaml     all parameters
    <root>/versions/000001/model/            the model artifact
    <root>/versions/000001/metrics/<name>/   the metrics artifacts it was judged by
    <root>/aliases/champion/000001.json      one record per change of champion; the highest number is the present one
    <root>/refusals/<run id>.json            what was refused, and why

Nothing is ever changed or removed. Writers need no lock: each of the three is a log, to which one appends by
creating the next number, or the file of one's own run id, if it is absent. A version is filled aside and renamed to
its number, which fails where the number is taken; a record is written aside and linked to its name, likewise. Who
finds a number taken reads what stands there and tries the next. As a writer reads all the numbers below the one that
it takes, no run id enters a log twice, however often and however concurrently a run is repeated.

What a crash leaves:
- before the rename or the link: a sibling `.partial-…`, which nobody reads; a later writer removes it after a day;
- after the version, before the champion's record: a version that is not champion. The same run id, registered again,
  finds it and goes on from there;
- after the champion's record: everything. The same run id, registered again, is told what was decided.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from components.artifacts.errors import UserError
from components.artifacts.files import read_json, sha256, write_json

FORMAT = "bigbigan-registry-entry/1"
_PARTIAL = ".partial-"
_PARTIAL_LIFETIME = 24 * 3600.0  # seconds; no copy of a model takes as long, so its writer is dead


class Registry:
    """A registry in the directory `root`, which need not exist before the first write."""

    def __init__(self, root: Path) -> None:
        self._versions = root / "versions"
        self._champion = root / "aliases" / "champion"
        self._refusals = root / "refusals"

    def directory(self, version: int) -> Path:
        return self._versions / _name(version)

    def entry(self, version: int) -> dict[str, Any]:
        """Raises: UserError, if there is no such version or it is of another format."""
        path = self.directory(version) / "entry.json"
        entry = read_json(path)
        if not isinstance(entry, dict) or entry.get("format") != FORMAT:
            raise UserError(f"{path} is not an entry of format {FORMAT}: restore it, or choose another --registry")
        return entry

    def versions(self) -> list[int]:
        """The versions there are, oldest first. A folder without `entry.json` is none."""
        return [number for number in _numbers(self._versions) if (self.directory(number) / "entry.json").is_file()]

    def version_of(self, run_id: str) -> int | None:
        return self._find(run_id, self.versions())

    def metrics_directories(self, version: int) -> list[Path]:
        """The metrics artifacts of a version. Raises: UserError, if one was changed since it was registered."""
        files = self.entry(version)["files"]
        measured = [name for name in files if name.startswith("metrics/")]
        for name in measured:
            path = self.directory(version) / name
            if not path.is_file() or sha256(path) != files[name]["sha256"]:
                raise UserError(f"{path} was changed or removed after it was registered: restore it from a copy")
        return [
            self.directory(version) / "metrics" / name for name in sorted({name.split("/")[1] for name in measured})
        ]

    def add_version(self, run_id: str, fill: Callable[[Path], None], finish: Callable[[Path, int], None]) -> int:
        """Adds a version, unless this run has one already, and returns its number.

        Args:
            fill: puts everything that does not depend on the number into the folder that it is given.
            finish: puts in the rest, `entry.json` last; called again, with the next number, where one was taken.
        """
        self._versions.mkdir(parents=True, exist_ok=True)
        _remove_stale(self._versions)
        partial = self._versions / f"{_PARTIAL}{run_id}-{uuid4().hex}"
        partial.mkdir()
        try:
            fill(partial)
            while True:
                # One listing for both questions: what is not in it takes a number at least as high as ours.
                taken = _numbers(self._versions)
                known = self._find(run_id, taken)
                if known is not None:
                    return known
                number = max(taken, default=0) + 1
                finish(partial, number)
                if _rename_if_absent(partial, self.directory(number)):
                    return number
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def champion_records(self) -> dict[int, dict[str, Any]]:
        """All changes of champion by number, oldest first, each {version, previous, run_id, time, decision}."""
        return {number: read_json(self._champion / f"{_name(number)}.json") for number in _numbers(self._champion)}

    def append_champion(self, number: int, record: dict[str, Any]) -> bool:
        """Writes the record of this number. False, and nothing written, if another writer has taken it."""
        return _create(self._champion / f"{_name(number)}.json", record)

    def refusal(self, run_id: str) -> dict[str, Any] | None:
        path = self._refusals / f"{run_id}.json"
        return read_json(path) if path.is_file() else None

    def record_refusal(self, run_id: str, decision: dict[str, Any]) -> None:
        """The first refusal of a run stays; a second one is not written."""
        _create(self._refusals / f"{run_id}.json", decision)

    def _find(self, run_id: str, versions: list[int]) -> int | None:
        for version in versions:
            if (self.directory(version) / "entry.json").is_file() and self.entry(version)["run_id"] == run_id:
                return version
        return None


def _name(number: int) -> str:
    return f"{number:06d}"


def _numbers(folder: Path) -> list[int]:
    """The numbers that are taken in a log, ascending."""
    if not folder.is_dir():
        return []
    stems = (path.name.removesuffix(".json") for path in folder.iterdir())
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def _rename_if_absent(partial: Path, folder: Path) -> bool:
    try:
        partial.rename(folder)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        return False
    _sync(folder.parent)
    return True


def _create(path: Path, content: Any) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path.parent)
    partial = path.parent / f"{_PARTIAL}{path.name}-{uuid4().hex}"
    try:
        write_json(partial, content)
        # A rename would replace the record of a faster writer, an exclusive open would show it half-written.
        path.hardlink_to(partial)
    except FileExistsError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    _sync(path.parent)
    return True


def _sync(folder: Path) -> None:
    """Makes a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_stale(folder: Path) -> None:
    for path in folder.glob(f"{_PARTIAL}*"):
        try:
            if time.time() - path.stat().st_mtime < _PARTIAL_LIFETIME:
                continue
        except FileNotFoundError:  # its writer has just finished
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
