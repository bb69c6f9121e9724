from collections.abc import Callable

import pytest
import torch
from torch import nn

from components.artifacts.dataset import Dataset
from components.evaluate_representation import views as module
from components.evaluate_representation.views import BATCH_NORM_EPS, bn_crelu, pixels
from tests.unit.evaluate_representation.alone import CPU, view_of


def test_bn_crelu_on_known_numbers_with_the_moments_of_train() -> None:
    train = torch.tensor([[0.0, 10.0], [2.0, 10.0], [4.0, 40.0], [2.0, 20.0]])
    other = torch.tensor([[3.0, 20.0]])
    view = bn_crelu(view_of(train, other, -other))
    first, second = (2.0 + BATCH_NORM_EPS) ** 0.5, (150.0 + BATCH_NORM_EPS) ** 0.5
    torch.testing.assert_close(view.validation.all(), torch.tensor([[1 / first, 0.0, 0.0, 0.0]]))
    torch.testing.assert_close(view.test.all(), torch.tensor([[0.0, 0.0, 5 / first, 40 / second]]))
    torch.testing.assert_close(view.train.all()[0], torch.tensor([0.0, 0.0, 2 / first, 10 / second]))
    assert view.train.width == 4


def test_bn_crelu_is_the_batch_norm_of_torch_without_parameters() -> None:
    train = torch.randn(50, 6) * 3 + 1
    norm = nn.BatchNorm1d(6, affine=False, eps=BATCH_NORM_EPS)
    h = norm(train)
    torch.testing.assert_close(
        bn_crelu(view_of(train, train, train)).train.all(), torch.cat([h.relu(), (-h).relu()], 1)
    )


def test_pixels_are_in_0_to_1_and_read_by_row_number(make_dataset: Callable[..., Dataset]) -> None:
    dataset = make_dataset()
    view = pixels(dataset, CPU)
    expected = torch.tensor(dataset.train.images()).flatten(1) / 255
    torch.testing.assert_close(view.train.all(), expected)
    torch.testing.assert_close(view.train.at(torch.tensor([7, 3]).numpy()).all(), expected[[7, 3]])
    assert view.train.width == 64


def test_large_images_are_averaged_so_that_their_pixels_can_be_fitted(
    make_dataset: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_PIXELS", 4)
    dataset = make_dataset()
    blocks = torch.tensor(dataset.test.images()).double().reshape(30, 4, 2, 4, 2).mean((2, 4)) / 255
    view = pixels(dataset, CPU)
    assert view.test.width == 16
    torch.testing.assert_close(view.test.all().double(), blocks.flatten(1), atol=1e-6, rtol=0)
