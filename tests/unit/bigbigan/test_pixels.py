"""Stored bytes and network values are the same images."""

import numpy as np
import torch

from components.artifacts.pictures import to_uint8
from components.bigbigan.pixels import to_float


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
