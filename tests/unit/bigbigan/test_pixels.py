"""Stored bytes and network values are the same images."""

import numpy as np
import pytest
import torch

from components.artifacts.pictures import to_uint8
from components.bigbigan.pixels import at_size, to_float


def test_the_ends_of_the_range():
    stored = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    assert to_float(stored).ravel().tolist() == [-1.0, 1.0]
    assert to_float(torch.from_numpy(stored)).dtype == torch.float32


def test_channels_go_first_and_every_value_comes_back():
    stored = np.random.default_rng(0).permutation(256 * 3).astype(np.uint8).reshape(4, 8, 8, 3)
    images = to_float(stored)
    assert images.shape == (4, 3, 8, 8)
    assert np.array_equal(to_uint8(images.numpy()), stored)


def test_the_stored_images_are_left_as_they_are():
    stored = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    to_float(stored)
    assert np.array_equal(stored.ravel(), np.arange(64))


# ------------------------------------------------------------------------------------------------ averaging down


@pytest.mark.parametrize(("height", "size"), [(8, 4), (9, 3), (8, 2), (6, 1)])
def test_each_pixel_is_the_mean_of_the_square_that_it_stands_for(height, size):
    images = torch.randn(2, 3, height, height, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    side = height // size
    expected = torch.empty(2, 3, size, size, dtype=torch.float64)
    for n, c, i, j in np.ndindex(2, 3, size, size):
        square = images[n, c, i * side : (i + 1) * side, j * side : (j + 1) * side]
        expected[n, c, i, j] = sum(square.flatten().tolist()) / side**2
    torch.testing.assert_close(at_size(images, size), expected, rtol=1e-14, atol=1e-14)


def test_images_of_that_size_stay_as_they_are():
    images = torch.randn(2, 3, 8, 8)
    assert at_size(images, 8) is images


@pytest.mark.parametrize(("height", "size"), [(9, 4), (28, 16), (8, 16)])
def test_a_size_that_does_not_divide_is_refused(height, size):
    named = f"images of {height} px cannot be averaged to {size} px: {height} is not a multiple of {size}"
    with pytest.raises(ValueError, match=named):
        at_size(torch.zeros(1, 3, height, height), size)
