"""A list as a source: a `.csv` file with a header, or a `.jsonl` file with an object a line.

`path` is relative to the list's folder, absolute, or an `s3://` URI. `label` and `split` (train, validation or val,
test) may be absent, but from all lines alike. Where splits are train and validation only, validation becomes test, as
in a folder (`tree.py`).
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from components.artifacts.errors import UserError
from components.prepare.sources.folder import read_file
from components.prepare.sources.s3 import SCHEME, Objects
from components.prepare.sources.source import (
    Content,
    Labelling,
    Parts,
    Source,
    Wanted,
    in_parts,
    numbered,
    printable,
    stat_fingerprint,
)
from components.prepare.sources.tree import OFFICIAL, SPLIT_FOLDERS, validation_as_test

SUFFIXES = (".csv", ".jsonl")
KEYS = ("path", "label", "split")


@dataclass(frozen=True)
class Places:
    """A part: files and objects, mixed."""

    places: list[str]

    def contents(self) -> Iterator[Content]:
        fetched = Objects([place for place in self.places if place.startswith(SCHEME)]).contents()
        for place in self.places:
            yield next(fetched) if place.startswith(SCHEME) else read_file(place)


def read_list(path: Path) -> Source:
    """Raises: UserError, naming the line, if the list is not as above, or names an image twice."""
    lines: dict[bytes, tuple[bytes | None, str | None]] = {}
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        name, label, split = (_text(where, key, line.get(key)) for key in KEYS)
        if name is None:
            raise UserError(f"{where} has no path: give each image's path, relative to the list's folder")
        if split is not None and split.lower().encode() not in SPLIT_FOLDERS:
            raise UserError(f"{where}: the split is {split!r}; allowed: train, validation (or val), test")
        if name.encode("utf-8", "surrogateescape") in lines:
            raise UserError(f"{where} names {printable(name)} a second time: name each image once")
        kept = None if split is None else SPLIT_FOLDERS[split.lower().encode()]
        lines[name.encode("utf-8", "surrogateescape")] = (None if label is None else label.encode(), kept)
    if not lines:
        raise UserError(f"{path} names no image: give a line for each")
    names = sorted(lines)
    labels, splits = ([lines[name][column] for name in names] for column in (0, 1))
    for key, values in (("label", labels), ("split", splits)):
        _check_all_or_none(path, key, values, names)
    return Source(
        kind="list",
        name=printable(path.name),
        names=names,
        labelling=_labelling(path, labels, splits),  # type: ignore[arg-type]
        others=[],
        fingerprint=stat_fingerprint(path.parent, chain([path.name.encode("utf-8", "surrogateescape")], names)),
        parts=partial(_parts, path.parent, names),
    )


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.DictReader(file, restkey="", strict=True)
                if "path" not in (reader.fieldnames or ()):
                    raise UserError(f"{path} has no column `path` in its first line: begin it with path,label,split")
                for row in reader:
                    yield reader.line_num, row
                return
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield number, _object(path, number, text)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{path} is not readable as CSV ({error}): make it anew") from None


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}, line {number} is not JSON ({error}): give an object a line") from None
    if not isinstance(content, dict):
        raise UserError(f'{path}, line {number} is no JSON object: give {{"path": …}} a line')
    return content


def _text(where: str, key: str, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise UserError(f"{where}: {key} is {value!r}, but it must be text or a whole number")
    return None if value is None or value == "" else str(value)


def _check_all_or_none(path: Path, key: str, values: list[Any], names: list[bytes]) -> None:
    lacking = [name for name, value in zip(names, values, strict=True) if value is None]
    if lacking and len(lacking) < len(names):
        raise UserError(
            f"{path}: {len(lacking)} of {len(names)} images have no {key}, such as {printable(lacking[0])}: give it "
            "for all, or for none"
        )


def _labelling(path: Path, labels: list[bytes | None], splits: list[str | None]) -> Labelling:
    column = "the list's column" if path.suffix.lower() == ".csv" else "the list's key"
    given = None if splits[0] is None else [split for split in splits if split is not None]
    splits_from = f"{column} `split`" if given else ""
    if given is not None:
        if "train" not in given or len(set(given)) == 1:
            raise UserError(f"{path}: the splits are {', '.join(sorted(set(given)))}: give train and test at least")
        if "test" not in given:
            given = validation_as_test(given)
            splits_from += f", validation as test: {OFFICIAL}"
    if labels[0] is None:
        return Labelling(None, None, f"none: the list has no {column.rpartition(' ')[2]} `label`", given, splits_from)
    classes, numbers = numbered(label for label in labels if label is not None)
    return Labelling([printable(name) for name in classes], numbers, f"{column} `label`", given, splits_from)


def _parts(root: Path, names: list[bytes], wanted: Wanted) -> Parts:
    def place(index: int) -> str:
        name = names[index].decode("utf-8", "surrogateescape")
        return name if name.startswith(SCHEME) else str(root / name)

    return in_parts(wanted, lambda chosen: Places([place(index) for index in chosen]))
