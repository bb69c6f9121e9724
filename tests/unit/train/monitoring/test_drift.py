import numpy as np
import pytest
import torch

from components.artifacts.dataset import Split
from components.artifacts.parameters import Latent
from components.train.monitoring import drift

LATENT = Latent(size=4, distribution="normal")


class Samples(torch.nn.Module):
    """Stands in for the networks: G gives noise images of a given brightness and contrast, or copies of a few."""

    def __init__(self, brightness: float, contrast: float, modes: int | None = None) -> None:
        super().__init__()
        self.brightness, self.contrast = torch.nn.Parameter(torch.tensor(brightness)), contrast
        few = torch.rand(modes or 1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
        self.few = few if modes else None

    def generator(self, z: torch.Tensor) -> torch.Tensor:
        if self.few is None:
            noise = torch.rand(len(z), 1, 28, 28, generator=torch.Generator().manual_seed(int(z[0, 0] * 1e6)))
        else:
            noise = self.few[(z[:, 0].abs() * 1e4).long() % len(self.few)]
        return (self.brightness + self.contrast * (noise - 0.5)).clamp(-1, 1)


@pytest.fixture
def images() -> Split:
    return Split([np.random.default_rng(0).integers(0, 256, (400, 28, 28, 1), dtype=np.uint8)], None)


def measure(images: Split, brightness: float, contrast: float, modes: int | None = None) -> dict[str, float]:
    samples = Samples(brightness, contrast, modes)
    return drift.measure(samples, drift.reference(images, 28), LATENT, seed=0)  # type: ignore[arg-type]


def test_samples_like_the_train_images_are_near_and_others_far(images: Split) -> None:
    alike = measure(images, brightness=0.0, contrast=2.0)["drift/coarse_distance"]
    assert alike < 0.05
    assert measure(images, brightness=-0.5, contrast=1.0)["drift/coarse_distance"] > 10 * alike
    assert measure(images, brightness=0.0, contrast=0.0)["drift/coarse_distance"] > 5 * alike


def test_the_mean_pixel_is_that_of_the_images(images: Split) -> None:
    numbers = measure(images, brightness=-0.5, contrast=0.0)
    assert numbers["drift/mean_pixel_generated"] == pytest.approx(0.25, abs=1e-6)
    assert numbers["drift/mean_pixel_train"] == pytest.approx(images.images().mean() / 255, abs=1e-3)


@pytest.mark.parametrize(
    ("contrast", "modes", "all_pairs", "nearest_pairs"),
    [
        pytest.param(2.0, None, 1.0, 1.0, id="as diverse as the train images"),
        pytest.param(1.0, None, 0.5, 0.5, id="half as far apart"),
        pytest.param(2.0, 10, 0.9, 0.0, id="copies of ten"),
        pytest.param(2.0, 1, 0.0, 0.0, id="all alike"),
    ],
)
def test_diversity_is_that_of_samples_relative_to_train_images(
    images: Split, contrast: float, modes: int | None, all_pairs: float, nearest_pairs: float
) -> None:
    numbers = measure(images, brightness=0.0, contrast=contrast, modes=modes)
    assert numbers["diversity/all_pairs"] == pytest.approx(all_pairs, abs=0.03)
    assert numbers["diversity/nearest_pairs"] == pytest.approx(nearest_pairs, abs=0.03)


def test_as_many_samples_as_train_images_are_compared(images: Split) -> None:
    few = Split([images.shards[0][:60]], None)
    assert measure(few, brightness=0.0, contrast=2.0)["diversity/nearest_pairs"] == pytest.approx(1.0, abs=0.03)


def test_train_images_that_are_all_alike_give_finite_numbers(images: Split) -> None:
    alike = Split([np.full((60, 28, 28, 1), 7, np.uint8)], None)
    assert np.isfinite(list(measure(alike, brightness=0.0, contrast=0.0).values())).all()


def test_too_few_images_are_not_measured(images: Split) -> None:
    assert drift.can_be_measured(images)
    assert not drift.can_be_measured(Split([images.shards[0][:49]], None))
