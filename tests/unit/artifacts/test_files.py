"""A file or folder is there whole or not at all, and JSON is strict both ways."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.artifacts.errors import UserError
from components.artifacts.files import new_directory, read_json, sha256, write_bytes, write_json


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------------------------------------ new_directory


def test_a_new_directory_appears_at_the_end_and_not_before(tmp_path):
    with new_directory(tmp_path / "a" / "made", "mark") as directory:
        (directory / "file").write_text("x")
        assert names(tmp_path / "a") == [".partial-made"]
    assert names(tmp_path / "a") == ["made"]
    assert (tmp_path / "a" / "made" / "file").read_text() == "x"


def test_a_new_directory_replaces_the_old_one_as_a_whole(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").write_text("old")
    with new_directory(tmp_path / "made", "old") as directory:
        (directory / "new").write_text("new")
        assert names(tmp_path / "made") == ["old"]
    assert names(tmp_path / "made") == ["new"]
    assert names(tmp_path) == ["made"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_the_old_directory_and_nothing_beside_it(tmp_path, error):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").write_text("old")

    def fail() -> None:
        with new_directory(tmp_path / "made", "old") as directory:
            (directory / "half").write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == ["made"]
    assert names(tmp_path / "made") == ["old"]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    for stale in (".partial-made", ".partial-made.replaced"):
        (tmp_path / stale).mkdir()
        (tmp_path / stale / "half").write_text("half")
    (tmp_path / "made").mkdir()
    with new_directory(tmp_path / "made", "mark") as directory:
        assert names(directory) == []
    assert names(tmp_path) == ["made"]
    assert names(tmp_path / "made") == []


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "large_disk").mkdir()
    (tmp_path / "made").symlink_to(tmp_path / "large_disk")
    with new_directory(tmp_path / "made", "mark") as directory:
        (directory / "new").write_text("new")
    assert (tmp_path / "made").is_symlink()
    assert names(tmp_path / "large_disk") == ["new"]
    assert names(tmp_path) == ["large_disk", "made"]


def test_a_file_in_the_place_of_the_directory_is_refused_and_kept(tmp_path):
    (tmp_path / "made").write_text("precious")
    with pytest.raises(UserError, match="made is a file"), new_directory(tmp_path / "made", "mark"):
        pass
    assert (tmp_path / "made").read_text() == "precious"
    assert names(tmp_path) == ["made"]


@pytest.mark.parametrize("output", [".", "..", "../inner"])
def test_the_present_folder_is_never_replaced(tmp_path, monkeypatch, output):
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    (tmp_path / "outer" / "inner" / "precious").write_text("x")
    monkeypatch.chdir(tmp_path / "outer" / "inner")
    with pytest.raises(UserError, match="holds the present folder"), new_directory(Path(output), "mark"):
        pass
    assert names(tmp_path / "outer" / "inner") == ["precious"]


# -------------------------------------------------------------------------------------------- write_bytes


def test_bytes_are_written_into_a_new_folder_and_replace_what_was_there(tmp_path):
    for content in (b"first", b"second, longer", b""):
        write_bytes(tmp_path / "a" / "b" / "file", content)
        assert (tmp_path / "a" / "b" / "file").read_bytes() == content
    assert names(tmp_path / "a" / "b") == ["file"]


@pytest.mark.parametrize("there_before", [True, False])
def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, there_before):
    if there_before:
        (tmp_path / "file").write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(tmp_path / "file", b"new")
    assert names(tmp_path) == (["file"] if there_before else [])
    assert not there_before or (tmp_path / "file").read_bytes() == b"old"


def test_bytes_reach_the_disk_before_they_take_the_name(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append((tmp_path / "file").exists()))
    write_bytes(tmp_path / "file", b"new")
    assert seen == [False]


# --------------------------------------------------------------------------------------------------- JSON


def test_the_same_content_is_the_same_bytes(tmp_path):
    write_json(tmp_path / "a", {"b": 1.5, "a": ["é", None, True]})
    write_json(tmp_path / "b", {"a": ["é", None, True], "b": 1.5})
    expected = '{\n  "a": [\n    "é",\n    null,\n    true\n  ],\n  "b": 1.5\n}\n'
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == expected.encode()
    assert read_json(tmp_path / "a") == {"a": ["é", None, True], "b": 1.5}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_without_a_standard_form_is_refused(tmp_path, value):
    (tmp_path / "file").write_text("old")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "file", {"deep": [value]})
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"a": 1', id="cut off"),
        pytest.param(b"\xff\xfe\xfa\x00\x80", id="no text"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"9" * 5_000, id="too many digits"),
    ],
)
def test_what_is_not_json_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(UserError, match=r"file\.json is not readable as JSON") as refusal:
        read_json(tmp_path / "file.json")
    assert len(str(refusal.value).splitlines()) == 1


def test_a_missing_file_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "no.json", tmp_path / "no" / "no.json", tmp_path / "file" / "no.json"):
        with pytest.raises(UserError, match=r"no\.json does not exist: run the step that makes it first"):
            read_json(path)


def test_json_is_read_as_utf8_whatever_the_locale(tmp_path):
    write_json(tmp_path / "file", {"class": "œuvre"})
    code = "import sys; from pathlib import Path; from components.artifacts.files import read_json; "
    code += "print(ascii(read_json(Path(sys.argv[1]))))"
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    ended = subprocess.run(command, env=os.environ | plain, capture_output=True, text=True, check=True)
    assert ended.stdout == "{'class': '\\u0153uvre'}\n"


def test_sha256_is_the_published_one(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="results is a folder of something else"):
        new_directory(tmp_path / "results", "mark").__enter__()
    assert names(tmp_path / "results") == ["thesis.tex"]


def test_an_empty_folder_may_be_replaced(tmp_path):
    (tmp_path / "made").mkdir()
    with new_directory(tmp_path / "made", "mark") as directory:
        (directory / "mark").touch()
    assert names(tmp_path / "made") == ["mark"]
