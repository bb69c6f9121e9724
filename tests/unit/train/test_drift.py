from pathlib import Path

import numpy as np
import pytest
import torch

from components.artifacts.dataset import Split
from components.artifacts.parameters import Latent
from components.train import drift
from components.train.log import Log

LATENT = Latent(size=4, distribution="normal")


class Samples(torch.nn.Module):
    """Stands in for the networks: G gives noise images of a given brightness and contrast."""

    def __init__(self, brightness: float, contrast: float) -> None:
        super().__init__()
        self.brightness, self.contrast = brightness, contrast

    def generator(self, z: torch.Tensor) -> torch.Tensor:
        noise = torch.rand(len(z), 1, 28, 28, generator=torch.Generator().manual_seed(int(z[0, 0] * 1e6)))
        return (self.brightness + self.contrast * (noise - 0.5)).clamp(-1, 1)


@pytest.fixture
def images() -> Split:
    return Split([np.random.default_rng(0).integers(0, 256, (400, 28, 28, 1), dtype=np.uint8)], None)


def measure(images: Split, brightness: float, contrast: float) -> dict[str, float]:
    samples = Samples(brightness, contrast)
    return drift.measure(samples, drift.reference(images), LATENT, seed=0)  # type: ignore[arg-type]


def test_samples_like_the_train_images_are_near_and_others_far(images: Split) -> None:
    alike = measure(images, brightness=0.0, contrast=2.0)["drift/coarse_distance"]
    assert alike < 0.05
    assert measure(images, brightness=-0.5, contrast=1.0)["drift/coarse_distance"] > 10 * alike
    assert measure(images, brightness=0.0, contrast=0.0)["drift/coarse_distance"] > 5 * alike


def test_the_mean_pixel_is_that_of_the_images(images: Split) -> None:
    numbers = measure(images, brightness=-0.5, contrast=0.0)
    assert numbers["drift/mean_pixel_generated"] == pytest.approx(0.25, abs=1e-6)
    assert numbers["drift/mean_pixel_train"] == pytest.approx(images.images().mean() / 255, abs=1e-3)


def test_too_few_images_are_not_measured(images: Split) -> None:
    assert drift.can_be_measured(images)
    assert not drift.can_be_measured(Split([images.shards[0][:49]], None))


@pytest.mark.parametrize(
    ("distances", "drifts"),
    [([3.0], False), ([3.0, 2.0, 2.9], False), ([3.0, 2.0, 3.1], True), ([1.0, 2.0, 0.9], False)],
)
def test_the_warning_comes_when_the_distance_has_risen_and_names_the_best_step(
    tmp_path: Path, distances: list[float], drifts: bool
) -> None:
    with Log(tmp_path, 0) as log:
        for index, distance in enumerate(distances):
            log.write("drift.csv", 200 * (index + 1), {"drift/coarse_distance": distance})
    warning = drift.advice(tmp_path / "drift.csv")
    assert (warning is not None) == drifts
    if warning:
        assert "train.steps=400" in warning
