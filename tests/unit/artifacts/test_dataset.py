"""A dataset opens only if it is whole, and gives the images that were asked for, in the order asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import FORMAT, Split, open_dataset
from components.artifacts.errors import UserError
from components.artifacts.files import sha256, write_json

SHARDS = {"train": (3, 3, 2), "validation": (2,), "test": (1, 1)}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Image number n of a split is filled with n, its label is n modulo 2."""
    for split, sizes in SHARDS.items():
        (tmp_path / split).mkdir()
        numbers = np.arange(sum(sizes))
        images = np.broadcast_to(numbers[:, None, None, None].astype(np.uint8), (len(numbers), 8, 8, 1))
        for shard, part in enumerate(np.split(images, np.cumsum(sizes)[:-1])):
            np.save(tmp_path / split / f"images-{shard:05d}.npy", part)
        np.save(tmp_path / split / "labels.npy", numbers % 2)
    paths = sorted(path for path in tmp_path.rglob("*.npy"))
    files = {str(path.relative_to(tmp_path)): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths}
    manifest = {"format": FORMAT, "version": "v", "image": {"size": 8, "channels": 1}, "classes": ["even", "odd"]}
    write_json(tmp_path / "manifest.json", manifest | {"files": files})
    return tmp_path


def rewrite(dataset: Path, **changes: Any) -> None:
    """Changes keys of the manifest; None removes one."""
    manifest = json.loads((dataset / "manifest.json").read_text()) | changes
    write_json(dataset / "manifest.json", {key: value for key, value in manifest.items() if value is not None})


def values(images: np.ndarray) -> list[int]:
    return images[:, 0, 0, 0].tolist()


# --------------------------------------------------------------------------------------------- what is in it


def test_splits_shards_and_labels_are_those_of_the_files(dataset):
    opened = open_dataset(dataset, verify=True)
    assert {name: len(getattr(opened, name)) for name in SHARDS} == {"train": 8, "validation": 2, "test": 2}
    assert values(opened.train.images()) == list(range(8))
    assert opened.train.labels.tolist() == [0, 1] * 4
    assert opened.classes == ["even", "odd"]


def test_opening_reads_no_image(dataset):
    assert all(isinstance(shard, np.memmap) for shard in open_dataset(dataset).train.shards)


@pytest.mark.parametrize("indices", [[], [0], [7, 0, 3, 2, 5], [4, 4, 4, 0, 4], [2, 3, 5, 6], range(7, -1, -1)])
def test_images_come_in_the_order_asked_across_shards_duplicates_included(dataset, indices):
    images = open_dataset(dataset).train.images(indices)
    assert values(images) == list(indices)
    assert images.shape == (len(indices), 8, 8, 1)
    assert images.dtype == np.uint8


def test_images_may_be_asked_for_by_an_iterator_or_an_array(dataset):
    train = open_dataset(dataset).train
    assert values(train.images(iter([6, 1]))) == values(train.images(np.array([6, 1]))) == [6, 1]


@pytest.mark.parametrize("index", [8, -1, 100])
def test_an_index_outside_the_split_is_an_error(dataset, index):
    with pytest.raises(IndexError):
        open_dataset(dataset).train.images([0, index])


def test_images_are_a_copy(dataset):
    train = open_dataset(dataset).train
    for images in (train.images(), train.images([0]), Split(train.shards[:1], None).images()):
        images[:] = 99
    assert values(train.images()) == list(range(8))


def test_without_classes_there_are_no_labels(dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    write_json(dataset / "manifest.json", manifest | {"classes": None})
    opened = open_dataset(dataset)
    assert opened.classes is None
    assert opened.test.labels is None


# --------------------------------------------------------------------------------------------- what is refused


def test_a_missing_file_is_named(dataset):
    (dataset / "train" / "images-00001.npy").unlink()
    with pytest.raises(UserError, match=r"train/images-00001\.npy is missing"):
        open_dataset(dataset)


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"0"])
def test_a_truncated_or_grown_file_is_named(dataset, change):
    path = dataset / "test" / "images-00000.npy"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=r"test/images-00000\.npy .* another size"):
        open_dataset(dataset)


def test_an_altered_file_is_found_if_asked_for(dataset):
    path = dataset / "train" / "images-00002.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    open_dataset(dataset)
    with pytest.raises(UserError, match=r"train/images-00002\.npy was changed"):
        open_dataset(dataset, verify=True)


@pytest.mark.parametrize("name", ["train/images-00000.npy", "validation/labels.npy"])
@pytest.mark.parametrize("content", ["zeros", "pickle"])
def test_a_file_of_the_right_size_that_is_no_array_is_named(dataset, name, content):
    path = dataset / name
    size = path.stat().st_size
    path.write_bytes(bytes(size) if content == "zeros" else b"\x80\x04".ljust(size, b"."))
    with pytest.raises(UserError, match=f"{name} cannot be read"):
        open_dataset(dataset)


def test_a_file_without_a_checksum_is_not_verified(dataset):
    files = json.loads((dataset / "manifest.json").read_text())["files"]
    del files["train/labels.npy"]["sha256"]
    rewrite(dataset, files=files)
    with pytest.raises(UserError, match=r"train/labels\.npy was changed"):
        open_dataset(dataset, verify=True)


def test_a_folder_without_a_manifest_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.json does not exist: run the step that makes it"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("form", ["bigbigan-dataset/2", None, 1])
def test_another_format_is_refused(dataset, form):
    rewrite(dataset, format=form)
    with pytest.raises(UserError, match="is not a dataset of format bigbigan-dataset/1"):
        open_dataset(dataset)


def test_a_manifest_that_is_no_mapping_is_refused(dataset):
    write_json(dataset / "manifest.json", [FORMAT])
    with pytest.raises(UserError, match="is not a dataset of format"):
        open_dataset(dataset)


@pytest.mark.parametrize("key", ["version", "classes", "files"])
def test_a_missing_key_of_the_manifest_is_named(dataset, key):
    rewrite(dataset, **{key: None})
    with pytest.raises(UserError, match=rf"manifest\.json lacks {key}: run the step `prepare` again"):
        open_dataset(dataset)


@pytest.mark.parametrize("files", [[], "x", {"train/images-00000.npy": 5}, {"train/images-00000.npy": {"sha256": "a"}}])
def test_a_malformed_list_of_files_is_refused(dataset, files):
    rewrite(dataset, files=files)
    with pytest.raises(UserError, match=r"manifest\.json does not list its files"):
        open_dataset(dataset)


def test_a_split_without_images_is_refused(dataset):
    rewrite(dataset, files={})
    with pytest.raises(UserError, match="names no images of the split train"):
        open_dataset(dataset)


def test_classes_without_labels_are_refused(dataset):
    (dataset / "test" / "labels.npy").unlink()
    files = json.loads((dataset / "manifest.json").read_text())["files"]
    del files["test/labels.npy"]
    rewrite(dataset, files=files)
    with pytest.raises(UserError, match=r"test/labels\.npy cannot be read"):
        open_dataset(dataset)
