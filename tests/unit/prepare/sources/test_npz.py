"""A `.npz` file's images and labels, and what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.prepare.sources import member
from components.prepare.sources.npz import read_npz

IMAGES = np.zeros((4, 8, 8), np.uint8)


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 8, 8, 1), (4, 8, 9, 3), (4, 8, 8, 4)])
def test_npz_without_labels(tmp_path, shape):
    source = read_npz(npz(tmp_path / "a.npz", images=np.zeros(shape, np.uint8)))
    assert len(source.names) == 4
    assert source.labelling.labels is None
    assert source.labelling.classes is None
    assert source.labelling.labels_from == "none: there is no array `labels`"
    assert source.name == "a.npz"


def test_npz_labels_become_classes_in_the_order_of_their_numbers(tmp_path):
    source = read_npz(npz(tmp_path / "a.npz", images=IMAGES, labels=np.array([10, 2, 2, 7], np.int32)))
    assert source.labelling.classes == ["2", "7", "10"]
    assert source.labelling.labels.tolist() == [2, 0, 0, 1]
    assert source.labelling.labels_from == "the array `labels`"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": IMAGES}, "has no array `images`"),
        ({"images": IMAGES.astype(np.float32)}, "of type float32, but it must be uint8"),
        ({"images": IMAGES[0]}, r"of shape \(8, 8\), but it must be N×H×W"),
        ({"images": np.zeros((4, 8, 8, 2), np.uint8)}, "with C 1, 3 or 4"),
        ({"images": np.zeros((4, 0, 8), np.uint8)}, "of shape"),
        ({"images": IMAGES[:0]}, "is empty"),
        ({"images": IMAGES, "labels": np.zeros(4)}, "labels is of type float64, but it must hold integers"),
        ({"images": IMAGES, "labels": np.zeros(3, int)}, r"labels is of shape \(3,\), but there are 4 images"),
        ({"images": IMAGES, "labels": np.array([0, -1, 0, 0])}, "labels holds -1"),
        ({"images": np.array([{}, []], object)}, r"not readable as \.npz"),
    ],
)
def test_npz_that_is_refused(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        read_npz(npz(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_npz_that_is_damaged(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not readable as \.npz"):
        read_npz(path)


def test_npz_that_is_truncated_or_a_single_array(tmp_path):
    whole = npz(tmp_path / "a.npz", images=IMAGES).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-100])
    np.save(tmp_path / "single.npy", IMAGES)
    shutil.move(tmp_path / "single.npy", tmp_path / "single.npz")
    with pytest.raises(UserError, match="not readable"):
        read_npz(tmp_path / "cut.npz")
    with pytest.raises(UserError, match="a single array"):
        read_npz(tmp_path / "single.npz")


def test_npz_that_unpacks_enormously_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(member, "HARMLESS_BYTES", 2**20)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((64, 256, 256), np.uint8))
    with pytest.raises(UserError, match="would unpack to 4,19"):
        read_npz(tmp_path / "a.npz")
