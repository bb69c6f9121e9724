"""Images to train on, as a split and as a dataset."""

import pytest

from components.artifacts.dataset import Dataset, Split
from tests.unit.train.toy import make_images


@pytest.fixture
def images() -> Split:
    return make_images()


@pytest.fixture
def dataset(images: Split) -> Dataset:
    return Dataset({"version": "v", "image": {"size": 8, "channels": 1}, "classes": None}, images, images, images)
