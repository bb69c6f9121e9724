"""The resizing agrees with Pillow's bicubic, which is an independent implementation."""

import numpy as np
import PIL.Image
import pytest

from components.prepare.resize import resize


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("side", "size"), [(256, 128), (300, 128), (20, 32), (3, 16), (1, 16), (500, 28), (129, 128)])
def test_no_pixel_is_more_than_a_level_from_pillows(side, size, channels):
    square = np.random.default_rng(0).integers(0, 256, (side, side, channels), np.uint8)
    picture = PIL.Image.fromarray(square[:, :, 0] if channels == 1 else square)
    expected = np.asarray(picture.resize((size, size), PIL.Image.Resampling.BICUBIC)).reshape(size, size, channels)
    resized = resize(square, size)
    assert resized.dtype == np.uint8
    assert resized.shape == expected.shape
    assert np.abs(resized.astype(int) - expected).max() <= 1


def test_the_right_size_is_untouched():
    square = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    np.testing.assert_array_equal(resize(square, 16), square)


def test_a_view_that_runs_backwards_is_resized_as_its_copy():
    square = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    for view in (square[::-1], square[:, ::-1], square.swapaxes(0, 1)[::-1]):
        np.testing.assert_array_equal(resize(view, 16), resize(view.copy(), 16))
