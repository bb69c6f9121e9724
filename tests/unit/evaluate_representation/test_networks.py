from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from components.artifacts.dataset import Dataset
from components.artifacts.model import Model
from components.bigbigan.build import build_networks
from components.bigbigan.pixels import to_float
from components.evaluate_representation import networks as module
from components.evaluate_representation.networks import (
    Frozen,
    discriminator,
    obtain_features,
    trained_encoder,
    untrained_encoder,
)
from tests.unit.evaluate_representation.alone import ALONE, CPU
from tests.unit.toy_model import CONFIG, with_values

MakeDataset = Callable[..., Dataset]


def features(frozen: Frozen, dataset: Dataset, cache: Path, batch_size: int = 16) -> dict[str, np.ndarray]:
    """Of the test split, by view."""
    directory, _ = obtain_features(frozen, dataset, batch_size, cache, ALONE)
    return {path.stem.removesuffix("-test"): np.load(path) for path in directory.glob("*-test.npy")}


def test_features_are_those_of_the_encoder_in_eval_mode_and_leave_it_as_it_was(
    tmp_path: Path, model: Model, make_dataset: MakeDataset
) -> None:
    dataset, encoder = make_dataset(), model.networks.encoder
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    encoder.train()
    found = features(trained_encoder(model), dataset, tmp_path)
    expected = encoder.eval().features(to_float(dataset.test.images()))
    assert {name: (array.shape, array.dtype) for name, array in found.items()} == {
        "avepool": ((30, 8), np.float32),
        "mu": ((30, 4), np.float32),
    }
    np.testing.assert_allclose(found["avepool"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["mu"], encoder.distribution(expected)[0], rtol=1e-5, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, batch_size: int
) -> None:
    dataset = make_dataset()
    for make in (trained_encoder, lambda model: untrained_encoder(model, dataset.train, 0)):
        some = features(make(model), dataset, tmp_path / "a", batch_size)
        others = features(make(model), dataset, tmp_path / "b", 32)
        for name, array in some.items():
            np.testing.assert_allclose(array, others[name], atol=1e-5, rtol=1e-5)


def test_images_larger_than_the_encoders_are_averaged(tmp_path: Path, make_dataset: MakeDataset) -> None:
    config = with_values(CONFIG, {"image.size": 16})
    model = Model(build_networks(config, 0).eval(), config, {})
    dataset = make_dataset(size=16)
    halves = to_float(dataset.test.images()).reshape(30, 1, 8, 2, 8, 2).mean((3, 5))
    found = features(trained_encoder(model), dataset, tmp_path)["avepool"]
    with torch.no_grad():
        np.testing.assert_allclose(found, model.networks.encoder.trunk(halves), rtol=1e-5, atol=1e-6)


def test_the_untrained_encoder_keeps_its_weights_and_has_statistics_of_train(
    model: Model, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset()
    used: list[Any] = []
    monkeypatch.setattr(module, "_of_encoder", lambda encoder, device: used.append(encoder))
    untrained_encoder(model, dataset.train, 3).load(CPU)
    (encoder,) = used
    fresh = build_networks(CONFIG, 3).encoder
    for name, value in fresh.named_parameters():
        assert torch.equal(dict(encoder.named_parameters())[name], value)
    assert not encoder.training
    stem = fresh.trunk.stem(to_float(dataset.train.images()))
    torch.testing.assert_close(
        encoder.trunk.blocks[0].norm1.running_mean, stem.mean((0, 2, 3)).detach(), atol=1e-5, rtol=0
    )


def test_the_untrained_encoder_depends_on_the_seed_alone(
    tmp_path: Path, model: Model, make_dataset: MakeDataset
) -> None:
    dataset = make_dataset()

    def of(seed: int, cache: str) -> np.ndarray:
        return features(untrained_encoder(model, dataset.train, seed), dataset, tmp_path / cache)["avepool"]

    first = of(1, "a")
    torch.manual_seed(77)
    np.testing.assert_array_equal(of(1, "b"), first)
    assert not np.allclose(of(2, "a"), first)


def test_f_of_bigbigans_discriminator_is_its_view(tmp_path: Path, model: Model, make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    frozen = discriminator(model, dataset.train, 0)
    assert isinstance(frozen, Frozen)
    expected = model.networks.discriminator.image_features(to_float(dataset.test.images()))
    found = features(frozen, dataset, tmp_path)["discriminator"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert found.std(0).max() > 0


DISCRIMINATORS: dict[str, dict[str, Any]] = {
    "dcgan": {"kind": "dcgan", "channels": 4},
    "mlp": {"kind": "mlp", "width": 6},
}


def with_discriminator(section: dict[str, Any] | None) -> Model:
    config = with_values(CONFIG, {"model.discriminator": section})
    return Model(build_networks(config, 0).eval().requires_grad_(False), config, {})


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_a_discriminator_of_images_alone_has_batch_statistics_of_train(
    tmp_path: Path, make_dataset: MakeDataset, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STATISTICS_BATCH", 60)
    dataset = make_dataset()
    model = with_discriminator(DISCRIMINATORS[kind] | {"scores": ["image"]})
    frozen = discriminator(model, dataset.train, 0)
    assert isinstance(frozen, Frozen)
    directory, _ = obtain_features(frozen, dataset, 16, tmp_path, ALONE)
    network = model.networks.discriminator
    # In training mode the whole of train is one batch: its own statistics are those of train.
    expected: Tensor = network.train().features(to_float(dataset.train.images()), None)
    # (The running variance is the unbiased one: 60 / 59 of the batch's where a channel has one position.)
    np.testing.assert_allclose(
        np.load(directory / "discriminator-train.npy"), expected, atol=0.02 * float(expected.abs().max())
    )


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_a_discriminator_of_pairs_has_no_features_of_the_image_alone(make_dataset: MakeDataset, kind: str) -> None:
    model = with_discriminator(DISCRIMINATORS[kind] | {"scores": ["joint"]})
    assert discriminator(model, make_dataset().train, 0) == "all features of this discriminator depend on z"


def test_an_autoencoder_has_no_discriminator(make_dataset: MakeDataset) -> None:
    assert discriminator(with_discriminator(None), make_dataset().train, 0) == "the model has no discriminator"
