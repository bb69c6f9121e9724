"""MNIST's files: pairs, splits, and what is refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.prepare.sources.choose import read_source


def idx(values: np.ndarray) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def images(count: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.uint8)[:, None, None] + np.zeros((1, 3, 2), np.uint8)


def mnist(folder: Path, suffix: str = "", prefix: str = "", mark: str = "-idx") -> Path:
    folder.mkdir(exist_ok=True)
    for name, count, first in (("train", 6, 0), ("t10k", 4, 100)):
        for kind, axes, values in (
            ("images", 3, images(count, first)),
            ("labels", 1, np.arange(count, dtype=np.uint8) % 3 + 5),
        ):
            content = idx(values)
            path = folder / f"{prefix}{name}-{kind}{mark}{axes}-ubyte{suffix}"
            path.write_bytes(gzip.compress(content) if suffix else content)
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("prefix", "mark"), [("", "-idx"), ("emnist-letters-", "-idx"), ("", ".idx")])
def test_a_folder_of_pairs_has_the_splits_train_and_test(tmp_path, suffix, prefix, mark):
    source = read_source(str(mnist(tmp_path / "mnist", suffix, prefix, mark)))
    assert source.kind == "idx"
    assert source.names == sorted(source.names)
    labelling = source.labelling
    assert labelling.splits == ["test"] * 4 + ["train"] * 6
    assert labelling.classes == ["5", "6", "7"]
    assert labelling.labels.tolist() == [0, 1, 2, 0, 0, 1, 2, 0, 1, 2]
    assert f"train-labels{mark}1-ubyte{suffix}" in labelling.labels_from
    (indices, part), *_ = source.parts(np.ones(10, bool))
    assert indices == list(range(10))
    assert [int(image[0, 0]) for image in part.contents()] == [100, 101, 102, 103, 0, 1, 2, 3, 4, 5]


def test_one_file_alone_is_split_by_us_and_finds_its_labels(tmp_path):
    source = read_source(str(mnist(tmp_path / "mnist") / "train-images-idx3-ubyte"))
    assert source.labelling.splits is None
    assert source.labelling.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_images_without_labels(tmp_path):
    folder = mnist(tmp_path / "mnist")
    for path in folder.glob("*labels*"):
        path.unlink()
    source = read_source(str(folder))
    assert source.labelling.labels is None
    assert source.labelling.labels_from == "none: there is no file of labels"
    assert source.labelling.splits == ["test"] * 4 + ["train"] * 6


def test_labels_for_one_file_only_are_refused(tmp_path):
    folder = mnist(tmp_path / "mnist")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match="labels for some of its files only"):
        read_source(str(folder))


WHOLE = idx(images(6))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no idx file of uint8 with 3 or 4 axes"),
        (b"\0\0\x0d\3" + WHOLE[4:], "is no idx file of uint8"),
        (idx(np.zeros(6, np.uint8)), "is no idx file of uint8 with 3 or 4 axes"),
        (WHOLE[:-1], "says that it holds 36 values, but holds only 35"),
        (WHOLE + b"x", "says that it holds 36 values, but holds more"),
        (WHOLE[:9], "is not readable as idx"),
        (bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**31, 2**10, 2**10), "more than there is room for"),
        (idx(images(5)), "holds 6 labels for 5 images"),
        (idx(np.zeros((6, 0, 2), np.uint8)), "which are no images"),
        (idx(np.zeros((6, 3, 2, 2), np.uint8)), "which are no images"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path, content, message):
    folder = mnist(tmp_path / "mnist")
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_source(str(folder))


def test_a_truncated_gz_is_refused(tmp_path):
    path = mnist(tmp_path / "mnist", ".gz") / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(UserError, match="is not readable as idx"):
        read_source(str(path.parent))


def test_a_split_that_is_there_twice_is_refused(tmp_path):
    folder = mnist(mnist(tmp_path / "mnist"), ".gz")
    with pytest.raises(UserError, match="which name a split twice"):
        read_source(str(folder))
