"""Lists of paths, labels and splits."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.prepare.sources.choose import read_source
from components.prepare.sources.source import Source, Unreadable


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        keys = list(rows[0])
        lines = [",".join(keys)] + [",".join(str(row.get(key, "")) for key in keys) for row in rows]
        path.write_text("\n".join(lines) + "\n")
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


def contents(source: Source) -> list[object]:
    return [content for _, part in source.parts(np.ones(len(source.names), bool)) for content in part.contents()]


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_paths_labels_and_splits(tmp_path, name):
    (tmp_path / "x").mkdir()
    (tmp_path / "here").mkdir()
    for file in ("b.jpg", "here/a.jpg", "x/c.jpg"):
        (tmp_path / file).write_bytes(file.encode())
    rows = [
        {"path": "../b.jpg", "label": "dog", "split": "train"},
        {"path": "a.jpg", "label": 7, "split": "val"},
        {"path": str(tmp_path / "x" / "c.jpg"), "label": "cat", "split": "test"},
    ]
    source = read_source(str(write(tmp_path / "here" / name, rows)))
    assert source.kind == "list"
    values = zip(contents(source), source.labelling.labels, source.labelling.splits, strict=True)
    found = dict(zip(source.names, values, strict=True))
    assert source.labelling.classes == ["7", "cat", "dog"]
    assert found == {
        b"../b.jpg": (b"b.jpg", 2, "train"),
        b"a.jpg": (b"here/a.jpg", 0, "validation"),
        str(tmp_path / "x" / "c.jpg").encode(): (b"x/c.jpg", 1, "test"),
    }
    assert source.labelling.labels_from == f"the list's {'column' if name.endswith('csv') else 'key'} `label`"


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_a_list_of_paths_alone_has_neither_labels_nor_splits(tmp_path, name):
    source = read_source(str(write(tmp_path / name, [{"path": "a.jpg"}, {"path": "b.jpg"}])))
    assert source.labelling.labels is None
    assert source.labelling.splits is None
    assert contents(source) == [Unreadable("cannot be read: No such file or directory")] * 2


def test_validation_without_test_becomes_test(tmp_path):
    rows = [{"path": "a.jpg", "split": "train"}, {"path": "b.jpg", "split": "validation"}]
    labelling = read_source(str(write(tmp_path / "list.csv", rows))).labelling
    assert labelling.splits == ["train", "test"]
    assert "validation as test: the official split" in labelling.splits_from


def test_a_table_saved_by_a_spreadsheet(tmp_path):
    (tmp_path / "list.csv").write_bytes(b'\xef\xbb\xbfpath,label\r\n"a,b.jpg","grey, dark"\r\nc.jpg,white\r\n')
    source = read_source(str(tmp_path / "list.csv"))
    assert source.names == [b"a,b.jpg", b"c.jpg"]
    assert source.labelling.classes == ["grey, dark", "white"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.csv", b"file,label\na.jpg,x\n", r"has no column `path` in its first line"),
        ("list.csv", b"", r"has no column `path`"),
        ("list.csv", b"path,label\n", r"names no image"),
        ("list.csv", b"path,label\na.jpg,x\n,y\n", r"list\.csv, line 3 has no path"),
        ("list.csv", b"path,label\na.jpg,x\na.jpg,y\n", r"line 3 names a\.jpg a second time"),
        ("list.csv", b"path,label\na.jpg,x\nb.jpg,\n", r"1 of 2 images have no label, such as b\.jpg"),
        ("list.csv", b"path,split\na.jpg,train\nb.jpg,held out\n", r"line 3: the split is 'held out'; allowed: train"),
        ("list.csv", b"path,split\na.jpg,test\nb.jpg,test\n", r"the splits are test: give train and test"),
        ("list.csv", b"path\n\xff.jpg\n", r"is not UTF-8 \(byte 5\)"),
        ("list.jsonl", b'{"path": "a.jpg"}\n{"path"\n', r"line 2 is not JSON"),
        ("list.jsonl", b'["a.jpg"]\n', r"line 1 is no JSON object"),
        ("list.jsonl", b'{"path": ["a.jpg"]}\n', r"line 1: path is \['a\.jpg'\], but it must be text"),
        ("list.jsonl", b'{"path": "a.jpg", "label": true}\n', r"line 1: label is True"),
    ],
)
def test_lists_that_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_source(str(tmp_path / name))
