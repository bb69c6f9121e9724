"""Grids: every image whole, in its place, on white."""

import numpy as np
import PIL.Image
import pytest

from components.artifacts.pictures import image_grid, save_grid, to_uint8
from components.bigbigan.pixels import to_float


def test_the_ends_and_the_middle_of_the_range():
    images = np.array([-1.0, -0.999, 0.0, 0.999, 1.0, -1.5, 7.0]).reshape(7, 1, 1, 1)
    assert to_uint8(images).ravel().tolist() == [0, 0, 128, 255, 255, 0, 255]


def test_every_stored_value_survives_the_networks_range():
    stored = np.arange(256, dtype=np.uint8).reshape(2, 8, 16, 1)
    assert np.array_equal(to_uint8(to_float(stored).numpy()), stored)


def test_channels_go_last():
    assert to_uint8(np.zeros((5, 3, 4, 6))).shape == (5, 4, 6, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_lie_row_by_row_with_a_gap_and_the_last_row_may_be_shorter(channels):
    images = np.stack([np.full((60, 70, channels), value, np.uint8) for value in (10, 20, 30, 40, 50)])
    images[..., 0] += 1
    picture = image_grid(images, columns=3, gap=2)
    assert picture.mode == ("L" if channels == 1 else "RGB")
    assert picture.size == (3 * 72 + 2, 2 * 62 + 2)
    sheet = np.asarray(picture).reshape(126, 218, channels)
    for index, image in enumerate(images):
        top, left = 2 + index // 3 * 62, 2 + index % 3 * 72
        assert np.array_equal(sheet[top : top + 60, left : left + 70], image)
        sheet = sheet.copy()
        sheet[top : top + 60, left : left + 70] = 255
    assert (sheet == 255).all()


@pytest.mark.parametrize(("size", "factor"), [(28, 2), (32, 2), (55, 2), (56, 1), (128, 1), (8, 7)])
def test_small_images_are_enlarged_by_a_whole_factor_with_hard_edges(size, factor):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, size, size, 1), dtype=np.uint8)
    picture = np.asarray(image_grid(images, columns=2))
    small = np.asarray(image_grid(images, columns=2, minimum_tile=1))
    assert small.shape == (size + 2, 2 * (size + 1) + 1)
    assert np.array_equal(picture, small.repeat(factor, 0).repeat(factor, 1))


def test_a_grid_wider_than_its_images_keeps_its_width():
    assert image_grid(np.zeros((1, 56, 56, 1), np.uint8), columns=4).size == (4 * 57 + 1, 58)


def test_a_saved_grid_is_the_grid(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    save_grid(tmp_path / "sheet.png", images, columns=2)
    with PIL.Image.open(tmp_path / "sheet.png") as picture:
        assert picture.format == "PNG"
        assert np.array_equal(np.asarray(picture), np.asarray(image_grid(images, columns=2)))
