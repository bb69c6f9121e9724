"""Unfinished work: taken up by the same work only, by one process at a time, and never trusted blindly."""

import fcntl
import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from components.artifacts.errors import UserError
from components.artifacts.parameters import Image, Prepare
from components.prepare import build, unfinished, write
from components.prepare.build import prepare

IMAGE = Image(8, 3)


class Killed(BaseException):
    """What a kill leaves on the disk is what an exception leaves that nobody catches."""


def parameters(**changes: object) -> Prepare:
    values = {"split_seed": 0, "validation_fraction": 0.1, "test_fraction": 0.1, "maximum_rejected_fraction": 0.05}
    return Prepare(**(values | {"duplicates_across_splits": "refuse", "shard_images": 20} | changes))


@pytest.fixture
def source(tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(200):
        PIL.Image.new("RGB", (8, 8), (number, 0, 255 - number)).save(tmp_path / "pictures" / f"{number:03d}.png")
    (tmp_path / "pictures" / "070.png").write_bytes(b"broken")
    return tmp_path / "pictures"


@pytest.fixture
def whole(source, tmp_path):
    prepare(str(source), tmp_path / "whole", IMAGE, parameters())
    return all_bytes(tmp_path / "whole")


def all_bytes(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def stop_at(monkeypatch: pytest.MonkeyPatch, name: str, source: Path, output: Path) -> None:
    """Runs until `build.<name>` is called."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(build, name, killed)
        with pytest.raises(Killed):
            prepare(str(source), output, IMAGE, parameters())


STOPS = ["treat_leaks", "write_labels", "_write_contact_sheet", "draw_data_sheet", "write_json", "replace_directory"]


@pytest.mark.parametrize("name", STOPS)
def test_stopped_anywhere_after_decoding_it_ends_with_the_same_bytes(source, whole, tmp_path, monkeypatch, name):
    output = tmp_path / "dataset"
    stop_at(monkeypatch, name, source, output)
    assert not output.exists()
    prepare(str(source), output, IMAGE, parameters())
    assert all_bytes(output) == whole
    assert not (tmp_path / ".unfinished-dataset").exists()


def decoded_again(source: Path, output: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> int:
    """Finishes the work, and counts the images that this took."""
    counted, real = [], write.decode_all

    def counting(tasks, *rest):
        return real((counted.extend(task.indices) or task for task in tasks), *rest)

    monkeypatch.setattr(write, "decode_all", counting)
    prepare(str(source), output, IMAGE, parameters(**changes))
    return len(counted)


def test_what_is_done_is_not_done_again(source, tmp_path, monkeypatch):
    stop_at(monkeypatch, "treat_leaks", source, tmp_path / "dataset")
    # The broken one is tried again.
    assert decoded_again(source, tmp_path / "dataset", monkeypatch) == 1


def test_a_torn_record_and_wrong_pixels_are_made_anew(source, whole, tmp_path, monkeypatch):
    stop_at(monkeypatch, "treat_leaks", source, tmp_path / "dataset")
    folder = tmp_path / ".unfinished-dataset"
    os.truncate(folder / "outcomes", (folder / "outcomes").stat().st_size - 5)
    for name in ("images-00001.npy", "images-00003.npy"):
        with (folder / "dataset" / "train" / name).open("r+b") as file:
            file.seek(-30, os.SEEK_END)
            file.write(bytes(30))
    assert decoded_again(source, tmp_path / "dataset", monkeypatch) == 1 + 1 + 2
    assert all_bytes(tmp_path / "dataset") == whole


@pytest.mark.parametrize("change", ["image", "time", "split_seed", "shard_images", "code"])
def test_work_of_another_kind_is_not_taken_and_does_not_pile_up(source, tmp_path, monkeypatch, change):
    stop_at(monkeypatch, "treat_leaks", source, tmp_path / "dataset")
    changes = {}
    if change == "image":
        PIL.Image.new("RGB", (9, 9), (1, 2, 3)).save(source / "000.png")
    elif change == "time":
        os.utime(source / "000.png", ns=(1, 1))
    elif change == "code":
        monkeypatch.setattr(build, "key_of", lambda depends_on: unfinished.key_of(depends_on | {"code": "other"}))
    else:
        changes = {change: 1 if change == "split_seed" else 19}
    assert decoded_again(source, tmp_path / "dataset", monkeypatch, **changes) == 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "pictures"]


def test_code_is_part_of_the_key(monkeypatch, tmp_path):
    before = unfinished.key_of({})
    (tmp_path / "decode.py").write_text("other code")
    monkeypatch.setattr(unfinished.prepare, "__path__", [str(tmp_path)])
    assert unfinished.key_of({}) != before


def test_what_does_not_change_pixels_goes_on_with_the_work(source, tmp_path, monkeypatch):
    stop_at(monkeypatch, "treat_leaks", source, tmp_path / "dataset")
    changes = {"duplicates_across_splits": "allow", "maximum_rejected_fraction": 0.5}
    assert decoded_again(source, tmp_path / "dataset", monkeypatch, **changes) == 1


def test_two_processes_do_not_work_on_one_output(source, tmp_path):
    folder = tmp_path / ".unfinished-dataset"
    folder.mkdir()
    with (folder / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=r"another process prepares .*dataset"):
            prepare(str(source), tmp_path / "dataset", IMAGE, parameters())
    prepare(str(source), tmp_path / "dataset", IMAGE, parameters())


def test_records_are_read_up_to_the_last_whole_one(tmp_path):
    record = unfinished.record_type(3)
    written = np.zeros(3, record)
    written["image"] = [5, 6, 7]
    (tmp_path / "outcomes").write_bytes(written.tobytes()[:-1])
    assert unfinished.read_records(tmp_path / "outcomes", record)["image"].tolist() == [5, 6]
    assert (tmp_path / "outcomes").stat().st_size == 2 * record.itemsize
    assert len(unfinished.read_records(tmp_path / "nothing", record)) == 0
