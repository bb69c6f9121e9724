"""The usual .npz of FID, and what may be wrong with it."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.artifacts.errors import UserError
from components.artifacts.files import sha256
from components.evaluate_generation.imported_statistics import read_statistics
from components.measures.frechet_distance import frechet_distance, moments

FEATURES = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))


def usual(**changes: Any) -> dict[str, Any]:
    found = moments(FEATURES)
    return {"mu": found.mean.numpy(), "sigma": found.covariance.numpy()} | changes


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_distance_to_the_imported_is_that_to_the_images(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, **{name: array.astype(dtype) for name, array in usual().items()})
    imported = read_statistics(path, features=4)
    own = moments(FEATURES + 1)
    expected = frechet_distance(own, moments(FEATURES))
    assert imported.moments.covariance.dtype == torch.float64
    assert frechet_distance(own, imported.moments) == pytest.approx(expected, rel=1e-5)
    assert imported.sha256 == sha256(path)


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (Path("executed"),)  # type: ignore[return-value]


def not_finite() -> np.ndarray:
    return np.array([1.0, np.nan, 0.0, 0.0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"mu": np.zeros(4)}, "lacks sigma"),
        (
            usual(mu=np.zeros(5)),
            "mu is 5 float64; the feature network in use has 4 features, so it should be 4 of floats",
        ),
        (usual(sigma=np.zeros((5, 5))), "sigma is 5×5 float64"),
        (usual(mu=np.zeros(4, np.int64)), "mu is 4 int64"),
        (usual(mu=not_finite()), "mu holds numbers that are not finite"),
        (usual(sigma=np.diag(not_finite())), "sigma holds numbers that are not finite"),
        (usual(sigma=np.arange(16.0).reshape(4, 4)), "sigma is not symmetric"),
        (usual(mu=np.array([Hostile()], dtype=object)), "torn or no .npz file"),
    ],
    ids=["no sigma", "other mu", "other sigma", "integers", "NaN", "NaN in sigma", "not symmetric", "pickle"],
)
def test_other_content_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", **content)
    with pytest.raises(UserError, match=message):
        read_statistics(Path("x.npz"), features=4)
    assert not Path("executed").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "torn or no .npz file"),
        (b"PK\x03\x04 torn", "torn or no .npz file"),
        (pickle.dumps(Hostile()), "torn or no .npz file"),
    ],
    ids=["absent", "empty", "torn", "pickle"],
)
def test_what_is_no_npz_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("x.npz").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_statistics(Path("x.npz"), features=4)
    assert not Path("executed").exists()


def test_a_single_array_is_no_npz_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(4))
    with pytest.raises(UserError, match=r"torn or no \.npz file"):
        read_statistics(tmp_path / "x.npy", features=4)
