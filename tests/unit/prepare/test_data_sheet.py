"""The data sheet is drawn for any kind of dataset, and its numbers are those of the images."""

from itertools import pairwise
from typing import Any

import numpy as np
import PIL.Image
import pytest

from components.artifacts.dataset import SPLITS, open_dataset
from components.artifacts.parameters import Image, Prepare
from components.prepare.build import prepare
from components.prepare.data_sheet import draw_data_sheet


def manifest(classes: int | None, channels: int) -> dict[str, Any]:
    names = None if classes is None else [f"class {number}" for number in range(classes)]
    counts = None if classes is None else list(range(1, classes + 1))
    return {
        "classes": names,
        "splits": {name: {"images": 5, "images_per_class": counts} for name in SPLITS},
        "source_sizes": {
            "minimum": 10, "median": 200.5, "maximum": 4000,
            "short_side": {"edges": [10, 100, 1000, 4001], "images": [1, 5, 3]},
        },
        "image": {"size": 32, "channels": channels},
        "enlarged": 1,
        "pixels": {"mean": [100.0] * channels, "standard_deviation": [20.0] * channels},
    }  # fmt: skip


@pytest.mark.parametrize(("classes", "channels"), [(None, 3), (1, 1), (10, 3), (1000, 3)])
def test_it_is_drawn_and_the_same_numbers_give_the_same_bytes(tmp_path, classes, channels):
    for name in ("a.png", "b.png"):
        draw_data_sheet(manifest(classes, channels), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with PIL.Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(2**24)) > 10


def test_one_size_of_source_is_drawn_too(tmp_path):
    sizes = {"minimum": 28, "median": 28.0, "maximum": 28, "short_side": {"edges": [28, 29], "images": [9]}}
    draw_data_sheet(manifest(2, 1) | {"source_sizes": sizes}, tmp_path / "a.png")


@pytest.mark.parametrize("channels", [1, 3])
def test_mean_spread_and_sizes_are_those_of_the_images(tmp_path, channels):
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    sides = [8, 8, 12, 20, 20, 33, 50, 50, 90, 200]
    for number, side in enumerate(sides):
        pixels = rng.integers(0, 256, (side, side + number, 3), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
    parameters = Prepare(
        split_seed=0, validation_fraction=0.1, test_fraction=0.1, maximum_rejected_fraction=0.05,
        duplicates_across_splits="refuse", shard_images=3,
    )  # fmt: skip
    made = prepare(str(tmp_path / "pictures"), tmp_path / "dataset", Image(16, channels), parameters)
    train = open_dataset(tmp_path / "dataset").train.images().astype(float)
    np.testing.assert_allclose(made["pixels"]["mean"], train.mean((0, 1, 2)), atol=1e-3)
    np.testing.assert_allclose(made["pixels"]["standard_deviation"], train.std((0, 1, 2)), atol=1e-3)
    sizes = made["source_sizes"]
    assert (sizes["minimum"], sizes["median"], sizes["maximum"]) == (8, 26.5, 200)
    edges, images = sizes["short_side"]["edges"], sizes["short_side"]["images"]
    assert edges == sorted(set(edges))
    assert images == [sum(low <= side < high for side in sides) for low, high in pairwise(edges)]
    assert sum(images) == len(sides)
    assert made["enlarged"] == 3
