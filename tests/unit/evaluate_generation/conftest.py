"""The toys as fixtures."""

from collections.abc import Callable

import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from tests.unit.evaluate_generation import toy
from tests.unit.toy_model import AUTOENCODER, CONFIG, GAN, HALF_SIZE


@pytest.fixture
def model() -> Model:
    return toy.make_model(CONFIG)


@pytest.fixture
def gan() -> Model:
    return toy.make_model(GAN)


@pytest.fixture
def autoencoder() -> Model:
    return toy.make_model(AUTOENCODER)


@pytest.fixture
def half_size() -> Model:
    return toy.make_model(HALF_SIZE)


@pytest.fixture
def parameters() -> EvaluateGeneration:
    return toy.PARAMETERS


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    return toy.make_dataset


@pytest.fixture
def make_network() -> Callable[..., FeatureNetworkModule]:
    return toy.make_network
