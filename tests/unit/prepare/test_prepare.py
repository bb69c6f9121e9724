"""From a source to the artifact: content, bytes, refusals, and what is left behind when writing fails."""

import csv
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from components.artifacts.dataset import SPLITS, open_dataset
from components.artifacts.errors import UserError
from components.artifacts.parameters import Image, Prepare
from components.prepare import build, write
from components.prepare.contact_sheet import contact_sheet
from components.prepare.shards import Shards
from components.prepare.sources.source import PART_IMAGES
from components.prepare.summary import summary, warnings
from components.prepare.write import version

IMAGE = Image(size=8, channels=3)
REPOSITORY = Path(__file__).parents[3]


def prepare(source: Path, output: Path, image: Image, parameters: Prepare) -> dict[str, Any]:
    return build.prepare(str(source), output, image, parameters)


def parameters(**changes: float) -> Prepare:
    values = {"split_seed": 0, "validation_fraction": 0.1, "test_fraction": 0.1}
    return Prepare(
        **(
            values
            | {"maximum_rejected_fraction": 0.05, "duplicates_across_splits": "refuse", "shard_images": 100}
            | changes
        )
    )


def colour(index: int) -> tuple[int, int, int]:
    return index % 256, index // 256, 200


def pictures(root: Path, count: int, folders: tuple[str, ...] = ("",)) -> Path:
    """PNG files whose colour says which they are, in turn in each folder."""
    for index in range(count):
        path = root / folders[index % len(folders)] / f"{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (10, 9), colour(index)).save(path)
    return root


def all_bytes(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def rejected_lines(directory: Path) -> list[list[str]]:
    with (directory / "rejected.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


# ------------------------------------------------------------------------------------------------- content


def test_a_labelled_folder_becomes_a_dataset(tmp_path):
    source = pictures(tmp_path / "pictures", 40, ("cat", "dog"))
    manifest = prepare(source, tmp_path / "dataset", IMAGE, parameters())
    dataset = open_dataset(tmp_path / "dataset", verify=True)
    assert dataset.manifest == manifest
    assert dataset.classes == ["cat", "dog"]
    assert [len(getattr(dataset, name)) for name in SPLITS] == [32, 4, 4]
    seen = []
    for name in SPLITS:
        split = getattr(dataset, name)
        images = split.images()
        assert images.shape[1:] == (8, 8, 3)
        assert split.labels.dtype == np.int64
        numbers = images[:, 0, 0, 0]
        # cat holds the even numbers, dog the odd ones.
        np.testing.assert_array_equal(numbers % 2, split.labels)
        assert manifest["splits"][name]["images_per_class"] == np.bincount(split.labels).tolist()
        seen += numbers.tolist()
    assert sorted(seen) == list(range(40))
    assert manifest["image"] == {"size": 8, "channels": 3}
    assert manifest["enlarged"] == 0
    assert set(manifest["files"]) == set(all_bytes(tmp_path / "dataset")) - {"manifest.json"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_shards_hold_the_images_in_the_order_of_their_names(tmp_path):
    source = pictures(tmp_path / "pictures", 60)
    prepare(source, tmp_path / "dataset", IMAGE, parameters(shard_images=20))
    train = open_dataset(tmp_path / "dataset").train
    assert [len(shard) for shard in train.shards] == [20, 20, 8]
    numbers = train.images()[:, 0, 0, 0]
    assert (np.diff(numbers.astype(int)) > 0).all()


def test_the_version_depends_on_pixels_and_labels_and_not_on_shards(tmp_path):
    source = pictures(tmp_path / "pictures", 30, ("a", "b"))

    def made(**changes: float) -> str:
        return prepare(source, tmp_path / "dataset", IMAGE, parameters(**changes))["version"]

    first = made()
    assert made(shard_images=7) == first
    assert made(split_seed=1) != first
    (source / "a" / "0000.png").rename(source / "b" / "0000.png")
    assert made() != first


def test_a_changed_label_changes_the_version():
    counts, pixels = dict.fromkeys(SPLITS, 2), dict.fromkeys(SPLITS, b"pixels")
    labels = [{name: np.array(values) for name in SPLITS} for values in ([0, 0], [0, 1])]
    assert len({version(counts, pixels, choice, IMAGE) for choice in (*labels, {})}) == 3


@pytest.mark.parametrize(
    ("given", "splits_from"),
    [
        (("train", "val", "test"), "the source's folders"),
        (("train", "test"), "the source's folders; validation drawn from train by prepare.split_seed"),
    ],
)
def test_explicit_splits(tmp_path, given, splits_from):
    manifest = prepare(pictures(tmp_path / "pictures", 30, given), tmp_path / "dataset", IMAGE, parameters())
    dataset = open_dataset(tmp_path / "dataset")
    assert manifest["source"]["splits_from"] == splits_from
    test = dataset.test.images()[:, 0, 0, 0]
    assert (test % len(given) == len(given) - 1).all()
    assert len(test) == 30 // len(given)
    assert len(dataset.validation) == (10 if "val" in given else 2)


def test_npz_keeps_pixels_and_labels(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(50) % 2 + 3)
    prepare(tmp_path / "a.npz", tmp_path / "dataset", Image(size=8, channels=1), parameters())
    dataset = open_dataset(tmp_path / "dataset", verify=True)
    assert dataset.classes == ["3", "4"]
    label_of = {images[index].tobytes(): index % 2 for index in range(50)}
    for name in SPLITS:
        split = getattr(dataset, name)
        assert [label_of[image.tobytes()] for image in split.images()] == split.labels.tolist()


def test_small_images_are_counted(tmp_path):
    source = pictures(tmp_path / "pictures", 10)
    PIL.Image.new("RGB", (1, 1)).save(source / "tiny.png")
    assert prepare(source, tmp_path / "dataset", IMAGE, parameters())["enlarged"] == 1


# ------------------------------------------------------------------------------------------- the same bytes


def test_the_same_input_gives_the_same_bytes_wherever_it_lies(tmp_path):
    first = pictures(tmp_path / "here" / "pictures", 30, ("a", "b"))
    (first / "broken.txt").write_text("x")
    (first / "b" / "bad.png").write_bytes(b"bad")
    second = tmp_path / "quite" / "elsewhere" / "pictures"
    # Copied in another order, so that the file system lists it in another.
    for path in sorted(first.rglob("*.*"), reverse=True):
        (second / path.relative_to(first)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, second / path.relative_to(first))
    outputs = [tmp_path / "dataset", tmp_path / "other" / "name"]
    for source, output in zip((first, second), outputs, strict=True):
        prepare(source, output, IMAGE, parameters())
    assert all_bytes(outputs[0]) == all_bytes(outputs[1])


def test_content_names_and_labels_each_change_the_source_hash(tmp_path):
    source = pictures(tmp_path / "pictures", 30, ("a", "b"))

    def source_hash() -> str:
        return prepare(source, tmp_path / "dataset", IMAGE, parameters())["source"]["sha256"]

    hashes = [source_hash()]
    os.utime(source / "a" / "0000.png", (1, 1))
    assert source_hash() == hashes[0]
    (source / "a" / "0000.png").rename(source / "a" / "renamed.png")
    hashes.append(source_hash())
    PIL.Image.new("RGB", (10, 9)).save(source / "a" / "0002.png")
    hashes.append(source_hash())
    (source / "b" / "0001.png").unlink()
    hashes.append(source_hash())
    assert len(set(hashes)) == 4


def test_the_number_of_processes_changes_no_byte(tmp_path, monkeypatch):
    source = pictures(tmp_path / "pictures", PART_IMAGES * 3 + 5)
    (source / "0070.png").write_bytes(b"bad")
    for cores in (1, 2):
        monkeypatch.setattr(write, "available_cores", lambda cores=cores: cores)
        prepare(source, tmp_path / f"dataset{cores}", IMAGE, parameters())
    assert all_bytes(tmp_path / "dataset1") == all_bytes(tmp_path / "dataset2")
    for name in SPLITS:
        images = getattr(open_dataset(tmp_path / "dataset2"), name).images()
        numbers = [image[0, 0, 0] + 256 * image[0, 0, 1] for image in images.astype(int)]
        assert numbers == sorted(numbers)


# ---------------------------------------------------------------------------------------------- rejections


def test_rejected_images_are_listed_counted_and_move_no_other(tmp_path):
    source = pictures(tmp_path / "pictures", 40)
    before = prepare(source, tmp_path / "dataset", IMAGE, parameters())
    whole = {name: open_dataset(tmp_path / "dataset").__dict__[name].images() for name in SPLITS}
    (source / "0007.png").write_bytes(b"")
    (source / "0003.png").write_bytes(b"bad")
    (source / "0005.txt").write_text("some words")
    after = prepare(source, tmp_path / "dataset", IMAGE, parameters())
    assert rejected_lines(tmp_path / "dataset") == [
        ["0003.png", "not an image: none of JPEG, PNG, WEBP, BMP, GIF, TIFF"],
        ["0005.txt", "not an image"],
        ["0007.png", "empty file"],
    ]
    reasons = {"empty file": 1, "not an image": 1}
    assert after["rejected"] == {"images": 2, "of_images": 40, "reasons": reasons, "other_files": 1}
    assert before["rejected"] == {"images": 0, "of_images": 40, "reasons": {}, "other_files": 0}
    for name in SPLITS:
        kept = [image for image in whole[name] if image[0, 0, 0] not in (3, 7)]
        np.testing.assert_array_equal(open_dataset(tmp_path / "dataset").__dict__[name].images(), kept)


def test_too_many_rejected_images_stop_the_step_with_reasons(tmp_path, capsys):
    source = pictures(tmp_path / "pictures", 20)
    for index in range(6):
        (source / f"{index:04d}.png").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        prepare(source, tmp_path / "dataset", IMAGE, parameters())
    message = str(caught.value)
    assert message.startswith("6 of 20 images (30.0%) cannot be used, more than prepare.maximum_rejected_fraction = 0")
    assert "0000.png (empty file); 0001.png (empty file); 0002.png (empty file); …" in message
    printed = capsys.readouterr().err
    assert all(f"rejected: {index:04d}.png: empty file\n" in printed for index in range(6))
    assert not (tmp_path / "dataset").exists()
    prepare(source, tmp_path / "dataset", IMAGE, parameters(maximum_rejected_fraction=0.3))
    assert len(rejected_lines(tmp_path / "dataset")) == 6


def test_files_that_are_no_images_do_not_count(tmp_path):
    source = pictures(tmp_path / "pictures", 3)
    (source / "README.txt").write_text("three images")
    manifest = prepare(source, tmp_path / "dataset", IMAGE, parameters(maximum_rejected_fraction=0.0))
    assert manifest["rejected"]["images"] == 0
    assert manifest["rejected"]["other_files"] == 1


def test_a_split_that_loses_its_only_image_stops_the_step(tmp_path):
    source = pictures(tmp_path / "pictures", 30, ("train", "val"))
    (source / "test").mkdir()
    (source / "test" / "only.png").write_bytes(b"")
    with pytest.raises(UserError, match="no image is left for test, after 1 of 31 images"):
        prepare(source, tmp_path / "dataset", IMAGE, parameters())


def test_a_class_that_loses_all_its_images_is_no_class(tmp_path):
    source = pictures(tmp_path / "pictures", 40, ("a", "c"))
    (source / "b").mkdir()
    (source / "b" / "bad.png").write_bytes(b"")
    assert prepare(source, tmp_path / "dataset", IMAGE, parameters())["classes"] == ["a", "c"]
    dataset = open_dataset(tmp_path / "dataset")
    np.testing.assert_array_equal(dataset.train.images()[:, 0, 0, 0] % 2, dataset.train.labels)


def test_names_that_are_no_utf8_are_written_escaped(tmp_path):
    source = pictures(tmp_path / "pictures", 30, ("a", "b"))
    folder = os.fsencode(source) + b"/\xfc"
    Path(os.fsdecode(folder)).mkdir()
    shutil.copyfile(source / "a" / "0000.png", os.fsdecode(folder + b"/\xff.png"))
    Path(os.fsdecode(folder + b"/\xfe.png")).write_bytes(b"")
    manifest = prepare(source, tmp_path / "dataset", IMAGE, parameters())
    assert manifest["classes"] == ["a", "b", r"\xfc"]
    assert rejected_lines(tmp_path / "dataset") == [[r"\xfc/\xfe.png", "empty file"]]


# ------------------------------------------------------------------------------------------------- outputs


def test_a_full_disk_loses_nothing_and_the_same_command_goes_on(tmp_path, monkeypatch, capsys):
    source = pictures(tmp_path / "pictures", PART_IMAGES * 3)
    prepare(source, tmp_path / "whole", IMAGE, parameters())
    prepare(source, tmp_path / "dataset", IMAGE, parameters(split_seed=1))
    before = all_bytes(tmp_path / "dataset")
    put, calls = Shards.put, []

    def full(self: Shards, slots: list[int], images: list[np.ndarray]) -> None:
        calls.append(1)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, slots, images)

    with monkeypatch.context() as patch:
        patch.setattr(Shards, "put", full)
        with pytest.raises(OSError, match="No space left"):
            prepare(source, tmp_path / "dataset", IMAGE, parameters())
    assert all_bytes(tmp_path / "dataset") == before
    prepare(source, tmp_path / "dataset", IMAGE, parameters())
    assert "going on: 64 of 192 images are done" in capsys.readouterr().err
    assert all_bytes(tmp_path / "dataset") == all_bytes(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "pictures", "whole"]


@pytest.mark.parametrize(
    ("source", "output", "message"),
    [
        ("pictures", "pictures", "lie in one another"),
        ("pictures", "pictures/dataset", "lie in one another"),
        ("pictures", "pictures/..", "lie in one another"),
        ("pictures", "file", "file is a file"),
        ("pictures", "file/dataset", "file is a file"),
        ("pictures", "letters", "is a folder of something else"),
    ],
)
def test_outputs_that_would_destroy_something_are_refused(tmp_path, source, output, message):
    pictures(tmp_path / "pictures", 3)
    (tmp_path / "file").write_text("dear")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    before = all_bytes(tmp_path)
    with pytest.raises(UserError, match=message):
        prepare(tmp_path / source, tmp_path / output, IMAGE, parameters())
    assert all_bytes(tmp_path) == before


# -------------------------------------------------------------------------------- contact sheet, words, command


@pytest.mark.parametrize(
    ("classes", "images", "expected"),
    [
        ((), 30, 24),
        ((), 300, 100),
        (("a", "b"), 300, 100),
        (("a", "b", "c"), 300, 90),
        (("a", "b"), 20, 20),  # 8 of each: two white tiles fill each row
        (tuple("abcdefghijkl"), 300, 96),
        (("a",), 300, 100),
    ],
)
def test_contact_sheet_shows_classes_in_rows(tmp_path, classes, images, expected):
    source = pictures(tmp_path / "pictures", images, classes or ("",))
    prepare(source, tmp_path / "dataset", IMAGE, parameters())
    sheet = contact_sheet(open_dataset(tmp_path / "dataset").train)
    assert len(sheet) == expected
    if 1 < len(classes) <= 10:
        for row, start in enumerate(range(0, len(sheet), 10)):
            tiles = sheet[start : start + 10]
            real = tiles[(tiles != 255).any((1, 2, 3))][:, 0, 0].astype(int)
            number = real[:, 0] + 256 * real[:, 1]
            assert set(number % len(classes)) == {row * len(classes) // (len(sheet) // 10)}
    with PIL.Image.open(tmp_path / "dataset" / "contact_sheet.png") as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("a", "b"), None),
        (("",), None),
        (("all",), "there is one class only, all: accuracy on it means nothing"),
        (("", "a"), "images lie both in and outside of sub-folders, so none gets a label"),
        (("train/a", "train/b", "test/a", "test/c"), "1 classes have no training image, such as c"),
    ],
)
def test_what_may_not_be_meant_is_said(tmp_path, folders, message):
    manifest = prepare(pictures(tmp_path / "pictures", 30, folders), tmp_path / "dataset", IMAGE, parameters())
    assert warnings(manifest) == ([] if message is None else [message])
    assert f"{manifest['splits']['train']['images']} train" in summary(manifest)[0]


def command(tmp_path: Path, source: Path) -> subprocess.CompletedProcess[str]:
    sections = {"image": {"size": 8, "channels": 3}, "prepare": parameters().__dict__}
    (tmp_path / "resolved.yaml").write_text(json.dumps(sections))
    flags = ["--source", source, "--params", tmp_path / "resolved.yaml", "--output", tmp_path / "dataset"]
    return subprocess.run(
        [sys.executable, "-m", "components.prepare", *map(str, flags)], cwd=REPOSITORY, capture_output=True, text=True
    )


def test_the_command_uses_processes_and_says_what_it_made(tmp_path):
    done = command(tmp_path, pictures(tmp_path / "pictures", PART_IMAGES * 2, ("cat", "dog")))
    assert done.returncode == 0, done.stderr
    assert "102 train, 13 validation, 13 test images of 8×8×3" in done.stdout
    assert "2 classes" in done.stdout
    assert "image/s" in done.stderr
    assert len(open_dataset(tmp_path / "dataset", verify=True).train) == 102


def test_the_command_answers_an_error_in_one_line(tmp_path):
    done = command(tmp_path, tmp_path / "nothing")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: the source {tmp_path / 'nothing'} does not exist: give a folder of images, ")
    assert done.stderr.count("\n") == 1
