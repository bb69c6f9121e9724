"""E and G that invert each other by construction, and such that do not."""

import pytest
import torch
from torch import Tensor, nn

from components.artifacts.parameters import Latent
from components.bigbigan.build import Networks
from components.train.monitoring.inversion import measure

LATENT = Latent(size=4, distribution="uniform")


class Pixels(nn.Module):
    """G: the four numbers of z are the four pixels of a 2×2 image."""

    def forward(self, z: Tensor) -> Tensor:
        return z.view(-1, 1, 2, 2)


class Reader(nn.Module):
    """E: the pixels, plus an error."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self.error = error
        self.seen: set[int] = set()

    def mean(self, x: Tensor) -> Tensor:
        self.seen.add(x.shape[-1])
        return nn.functional.avg_pool2d(x, x.shape[-1] // 2).flatten(1) + self.error


def networks(error: float) -> Networks:
    return Networks(Pixels(), Reader(error), None)  # type: ignore[arg-type]


@pytest.fixture
def images() -> Tensor:
    return torch.rand(64, 1, 2, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_exact_inverses_leave_nothing(images: Tensor) -> None:
    numbers = measure(networks(0.0), images, LATENT, seed=0)
    assert numbers["inversion/image_l1"] == 0
    assert numbers["inversion/image_relative_l1"] == 0
    assert numbers["inversion/pixels_met"] == 1
    assert numbers["inversion/latent_relative_l2"] == pytest.approx(0, abs=1e-12)
    assert numbers["inversion/pixels_met_by_others"] < 0.05


def test_an_error_is_measured_in_its_own_units(images: Tensor) -> None:
    numbers = measure(networks(0.1), images, LATENT, seed=0)
    assert numbers["inversion/image_l1"] == pytest.approx(0.1, rel=1e-5)
    # Two uniform numbers of (-1, 1) are 2/3 apart; their squared distance is 2/3 as well.
    assert numbers["inversion/image_relative_l1"] == pytest.approx(0.1 / (2 / 3), rel=0.15)
    assert numbers["inversion/latent_relative_l2"] == pytest.approx(0.1**2 / (2 / 3), rel=0.15)
    assert numbers["inversion/pixels_met"] == 0


@pytest.mark.parametrize(("error", "met"), [(0.9 / 255, 1.0), (1.1 / 255, 0.0)])
def test_a_pixel_is_met_if_it_is_the_same_byte(images: Tensor, error: float, met: float) -> None:
    assert measure(networks(error), images, LATENT, seed=0)["inversion/pixels_met"] == met


def test_larger_images_are_compared_at_gs_resolution(images: Tensor) -> None:
    large = images.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3)
    small, enlarged = networks(0.1), networks(0.1)
    numbers = [measure(model, x, LATENT, seed=0) for model, x in ((small, images), (enlarged, large))]
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-5)
    assert enlarged.encoder.seen == {6}, "E sees the dataset's resolution, of what G makes as well"


def test_without_an_encoder_or_a_pair_nothing_is_measured(images: Tensor) -> None:
    assert measure(Networks(Pixels(), None, None), images, LATENT, seed=0) == {}
    assert measure(networks(0.0), images[:1], LATENT, seed=0) == {}
