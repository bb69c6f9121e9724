"""Equal images within and across splits, and what is done about those across."""

from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from components.artifacts.dataset import SPLITS, open_dataset
from components.artifacts.errors import UserError
from components.artifacts.parameters import Image, Prepare
from components.prepare.build import prepare
from components.prepare.summary import summary, warnings


def parameters(treatment: Any) -> Prepare:
    return Prepare(
        split_seed=0, validation_fraction=0.1, test_fraction=0.1, maximum_rejected_fraction=0.05,
        duplicates_across_splits=treatment, shard_images=7,
    )  # fmt: skip


def source(path: Path, **images: list[int]) -> Path:
    """Folders that name splits, with an image for each number, of that level."""
    for split, numbers in images.items():
        (path / split).mkdir(parents=True)
        for index, number in enumerate(numbers):
            PIL.Image.new("RGB", (8, 8), (number,) * 3).save(path / split / f"{index:02d}.png")
    return path


def numbers(directory: Path, split: str) -> list[int]:
    return getattr(open_dataset(directory, verify=True), split).images()[:, 0, 0, 0].tolist()


TRAIN, VALIDATION, TEST = [1, 2, 3, 3, 4, 5, 5, 6], [10, 4, 11], [20, 2, 20, 11]


@pytest.fixture
def leaky(tmp_path):
    """2 is in train and test, 4 in train and validation, 11 in validation and test; 3, 5 and 20 are there twice."""
    return source(tmp_path / "pictures", train=TRAIN, val=VALIDATION, test=TEST)


def test_a_leak_is_refused_with_names_and_remedy(tmp_path, leaky):
    with pytest.raises(UserError) as caught:
        prepare(str(leaky), tmp_path / "dataset", Image(8, 3), parameters("refuse"))
    message = str(caught.value)
    assert message.startswith(
        "3 images lie in two splits, pixel for pixel: train/01.png (train) and test/01.png (test); "
        "train/04.png (train) and val/01.png (validation); val/02.png (validation) and test/03.png (test): remove one"
    )
    assert "prepare.duplicates_across_splits" in message
    assert not (tmp_path / "dataset").exists()


def test_after_a_refusal_nothing_is_decoded_again(tmp_path, leaky, capsys):
    with pytest.raises(UserError):
        prepare(str(leaky), tmp_path / "dataset", Image(8, 3), parameters("refuse"))
    prepare(str(leaky), tmp_path / "dataset", Image(8, 3), parameters("drop"))
    assert "going on: 15 of 15 images are done" in capsys.readouterr().err


def test_dropping_leaves_test_as_it_is(tmp_path, leaky):
    manifest = prepare(str(leaky), tmp_path / "dataset", Image(8, 3), parameters("drop"))
    assert numbers(tmp_path / "dataset", "train") == [1, 3, 3, 5, 5, 6]
    assert numbers(tmp_path / "dataset", "validation") == [10, 4]
    assert numbers(tmp_path / "dataset", "test") == TEST
    assert manifest["duplicates"] == {
        "within_splits": {"train": 2, "validation": 0, "test": 1},
        "across_splits": 3,
        "dropped": 3,
        "examples": [["train/01.png", "test/01.png"], ["train/04.png", "val/01.png"], ["val/02.png", "test/03.png"]],
    }
    assert manifest["splits"]["train"]["images"] == 6
    assert manifest["rejected"]["images"] == 0
    assert "of which 3 were dropped" in summary(manifest)[-1]
    assert warnings(manifest) == []


def test_allowing_keeps_all_and_warns(tmp_path, leaky):
    manifest = prepare(str(leaky), tmp_path / "dataset", Image(8, 3), parameters("allow"))
    assert [numbers(tmp_path / "dataset", split) for split in SPLITS] == [TRAIN, VALIDATION, TEST]
    assert manifest["duplicates"]["dropped"] == 0
    assert warnings(manifest)[0].startswith("3 images lie in two splits")


def test_duplicates_within_a_split_are_no_leak(tmp_path):
    place = source(tmp_path / "pictures", train=[1, 1, 1, 2], val=[3], test=[4, 4])
    manifest = prepare(str(place), tmp_path / "dataset", Image(8, 3), parameters("refuse"))
    assert manifest["duplicates"]["within_splits"] == {"train": 2, "validation": 0, "test": 1}
    assert manifest["duplicates"]["across_splits"] == 0


def test_a_split_of_nothing_but_leaks_is_not_emptied(tmp_path):
    place = source(tmp_path / "pictures", train=[1, 2, 3], val=[4], test=[4, 5])
    with pytest.raises(UserError, match="no image is left for validation, after 1 duplicates were dropped"):
        prepare(str(place), tmp_path / "dataset", Image(8, 3), parameters("drop"))
