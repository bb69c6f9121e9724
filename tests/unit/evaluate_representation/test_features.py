from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from components.artifacts.dataset import Dataset
from components.artifacts.model import Model
from components.bigbigan.build import build_networks
from components.bigbigan.pixels import to_float
from components.evaluate_representation.features import (
    BATCH_NORM_EPS,
    VIEWS,
    View,
    bn_crelu,
    compute_views,
    encode,
    untrained_encoder,
)
from tests.unit.toy_model import CONFIG, with_values

CPU = torch.device("cpu")


def test_bn_crelu_on_known_numbers_with_the_moments_of_train() -> None:
    train = torch.tensor([[0.0, 10.0], [2.0, 10.0], [4.0, 40.0], [2.0, 20.0]])
    other = torch.tensor([[3.0, 20.0]])
    view = bn_crelu(View(train, other, -other))
    first, second = (2.0 + BATCH_NORM_EPS) ** 0.5, (150.0 + BATCH_NORM_EPS) ** 0.5
    torch.testing.assert_close(view.validation, torch.tensor([[1 / first, 0.0, 0.0, 0.0]]))
    torch.testing.assert_close(view.test, torch.tensor([[0.0, 0.0, 5 / first, 40 / second]]))
    torch.testing.assert_close(view.train[0], torch.tensor([0.0, 0.0, 2 / first, 10 / second]))


def test_bn_crelu_is_the_batch_norm_of_torch_without_parameters() -> None:
    train = torch.randn(50, 6) * 3 + 1
    norm = nn.BatchNorm1d(6, affine=False, eps=BATCH_NORM_EPS)
    h = norm(train)
    torch.testing.assert_close(bn_crelu(View(train, train, train)).train, torch.cat([h.relu(), (-h).relu()], 1))


def test_views_have_the_documented_names_shapes_and_type(
    model: Model, make_dataset: Callable[..., Dataset], config: dict[str, Any]
) -> None:
    views = compute_views(model.networks.encoder, config, make_dataset(), 16, seed=0, device=CPU)
    assert list(views) == list(VIEWS)
    widths = {"avepool": 8, "bn_crelu": 16, "mu": 4, "pixels": 64, "untrained_avepool": 8, "untrained_bn_crelu": 16}
    for name, view in views.items():
        assert [part.shape for part in (view.train, view.validation, view.test)] == [
            (count, widths[name]) for count in (60, 30, 30)
        ]
        assert view.train.dtype == torch.float32
        assert not view.train.requires_grad
    assert views["pixels"].train.min() >= 0
    assert views["pixels"].train.max() == 1


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(
    model: Model, make_dataset: Callable[..., Dataset], config: dict[str, Any], batch_size: int
) -> None:
    dataset = make_dataset()
    some = compute_views(model.networks.encoder, config, dataset, batch_size, seed=0, device=CPU)
    others = compute_views(model.networks.encoder, config, dataset, 32, seed=0, device=CPU)
    for name in VIEWS:
        torch.testing.assert_close(some[name].test, others[name].test, atol=1e-5, rtol=1e-5)


def test_features_are_those_of_the_encoder_in_eval_mode_and_leave_it_as_it_was(
    model: Model, make_dataset: Callable[..., Dataset]
) -> None:
    dataset, encoder = make_dataset(), model.networks.encoder
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    encoder.train()
    avepool, mu = encode(encoder, dataset, 16, CPU, "x")
    expected = encoder.eval().features(to_float(dataset.test.images()))
    torch.testing.assert_close(avepool.test, expected)
    torch.testing.assert_close(mu.test, encoder.distribution(expected)[0])
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_images_larger_than_the_encoders_are_averaged_and_their_pixels_are_not(
    make_dataset: Callable[..., Dataset],
) -> None:
    config = with_values(CONFIG, {"image.size": 16})
    dataset, encoder = make_dataset(size=16), build_networks(config, 0).encoder
    assert encoder is not None
    views = compute_views(encoder, config, dataset, 16, seed=0, device=CPU)
    halves = to_float(dataset.test.images()).reshape(30, 1, 8, 2, 8, 2).mean((3, 5))
    torch.testing.assert_close(views["avepool"].test, encoder.trunk(halves))
    assert views["pixels"].test.shape == (30, 256)


def test_the_untrained_encoder_keeps_its_weights_and_has_statistics_of_train(
    make_dataset: Callable[..., Dataset], config: dict[str, Any]
) -> None:
    dataset = make_dataset()
    encoder = untrained_encoder(config, dataset.train, 3, CPU)
    fresh = build_networks(config, 3).encoder
    for name, value in fresh.named_parameters():
        assert torch.equal(dict(encoder.named_parameters())[name], value)
    assert not encoder.training
    stem = fresh.trunk.stem(to_float(dataset.train.images()))
    torch.testing.assert_close(
        encoder.trunk.blocks[0].norm1.running_mean, stem.mean((0, 2, 3)).detach(), atol=1e-5, rtol=0
    )


def test_the_untrained_encoder_depends_on_the_seed_alone(
    make_dataset: Callable[..., Dataset], config: dict[str, Any]
) -> None:
    dataset = make_dataset()

    def features(seed: int) -> np.ndarray:
        encoder = untrained_encoder(config, dataset.train, seed, CPU)
        return encode(encoder, dataset, 16, CPU, "x")[0].test.numpy()

    first = features(1)
    torch.manual_seed(77)
    np.testing.assert_array_equal(features(1), first)
    assert not np.allclose(features(2), first)
