from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UserError
from components.artifacts.metrics import read_metrics
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateRepresentation
from components.evaluate_representation.features_file import obtain_file, parse
from tests.unit.evaluate_representation.alone import ALONE, evaluate

MakeDataset = Callable[..., Dataset]
COUNTS = {"train": 60, "validation": 30, "test": 30}


def arrays(dtype: str = "float32", **changes: Any) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    labelled = {split: np.eye(3)[np.arange(count) % 3] for split, count in COUNTS.items()}
    noisy = {split: (own + 0.1 * generator.normal(size=own.shape)).astype(dtype) for split, own in labelled.items()}
    return {name: value for name, value in (noisy | changes).items() if value is not None}


@pytest.mark.parametrize(("save", "dtype"), [(np.savez, "float16"), (np.savez_compressed, "float64")])
def test_brought_features_are_measured_by_the_same_protocol(
    tmp_path: Path,
    model: Model,
    make_dataset: MakeDataset,
    parameters: EvaluateRepresentation,
    save: Callable[..., None],
    dtype: str,
) -> None:
    save(tmp_path / "x.npz", dataset_version="abc", **arrays(dtype))
    evaluate(model, make_dataset(), parameters, tmp_path / "out", files={"dino": tmp_path / "x.npz"})
    values = read_metrics(tmp_path / "out").values
    for key in ("linear_top1_features_dino_test", "knn5_top1_features_dino_test"):
        assert values[key] == 1.0
    assert values["linear_top1_features_dino_10_percent_test_mean"] > 0.9
    assert read_metrics(tmp_path / "out").protocol["outcomes"]["features"]["features_dino"] == 3


def test_the_rows_are_in_the_order_of_the_datasets_images(tmp_path: Path, make_dataset: MakeDataset) -> None:
    content = arrays()
    np.savez(tmp_path / "x.npz", **content)
    directory = obtain_file(tmp_path, "x", tmp_path / "x.npz", make_dataset(), ALONE)
    for split in COUNTS:
        np.testing.assert_array_equal(np.load(directory / f"{split}.npy"), content[split])


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no_test": ({"test": None}, r"has no array test \(it has: train, validation\)"),
    "rows": ({"validation": np.ones((29, 3))}, "the array validation is 29×3; it must be 30×F"),
    "one_dimension": ({"test": np.ones(30)}, "the array test is 30; it must be 30×F"),
    "no_features": ({"test": np.ones((30, 0))}, "the array test is 30×0"),
    "widths": ({"test": np.ones((30, 4))}, "all must come from one network"),
    "nan": ({"train": np.where(np.arange(60)[:, None] == 7, np.nan, np.ones((60, 3)))}, "infinity in row 7"),
    "words": ({"train": np.full((60, 3), "x")}, "the array train holds <U1, not real numbers"),
    "objects": ({"train": np.full((60, 3), None)}, "the array train cannot be read"),
    "version": ({"dataset_version": "xyz"}, "was made for version xyz of the dataset, and this is abc"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_a_file_that_does_not_fit_the_dataset_is_refused_and_never_cached(
    tmp_path: Path, make_dataset: MakeDataset, changes: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "x.npz", **arrays(**changes))
    for _ in range(2):
        with pytest.raises(UserError, match=message):
            obtain_file(tmp_path / "cache", "x", tmp_path / "x.npz", make_dataset(), ALONE)


@pytest.mark.parametrize(("content", "message"), [(None, "no such file"), (b"PK not", "cannot be read as .npz")])
def test_what_is_no_npz_is_refused(
    tmp_path: Path, make_dataset: MakeDataset, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match=message):
        obtain_file(tmp_path / "cache", "x", tmp_path / "x.npz", make_dataset(), ALONE)


def test_a_changed_file_is_read_anew(tmp_path: Path, make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    np.savez(tmp_path / "x.npz", **arrays())
    first = obtain_file(tmp_path, "x", tmp_path / "x.npz", dataset, ALONE)
    np.savez(tmp_path / "x.npz", **arrays(test=np.ones((30, 3))))
    assert obtain_file(tmp_path, "x", tmp_path / "x.npz", dataset, ALONE) != first


def test_names_and_files_are_told_apart() -> None:
    assert parse(["dino=a/b=c.npz", "mae_2=x.npz"]) == {"dino": Path("a/b=c.npz"), "mae_2": Path("x.npz")}


@pytest.mark.parametrize("argument", ["x.npz", "=x.npz", "a=", "Dino=x.npz", "2=x.npz", "a_1_percent=x.npz", "a-b=x"])
def test_a_name_that_cannot_be_part_of_a_key_is_refused(argument: str) -> None:
    with pytest.raises(UserError, match="NAME=FILE"):
        parse([argument])


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(UserError, match="twice"):
        parse(["a=x.npz", "a=y.npz"])
