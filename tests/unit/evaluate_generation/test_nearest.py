import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

from components.evaluate_generation.nearest import NearestImages, nearer_than


def gaussian(count: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed)) + shift


def found(queries: Tensor, images: Tensor, size: int) -> NearestImages:
    search = NearestImages(queries)
    for numbers in torch.arange(len(images)).split(size):
        search.add(images[numbers], numbers)
    return search


@pytest.mark.parametrize("shift", [0.0, 1000.0])
@pytest.mark.parametrize("size", [1, 7, 200])
def test_reference_all_pairs_whatever_the_batches(size: int, shift: float) -> None:
    queries, images = gaussian(30, 0, shift), gaussian(200, 1, shift)
    pairs = np.linalg.norm(queries.double().numpy()[:, None] - images.double().numpy()[None], axis=2)
    search = found(queries, images, size)
    assert search.indices.tolist() == pairs.argmin(1).tolist()
    np.testing.assert_allclose(search.squared_distances.sqrt().numpy(), pairs.min(1), rtol=1e-6)


@pytest.mark.parametrize("size", [1, 4])
def test_of_equally_near_images_the_first_stays(size: int) -> None:
    search = found(torch.tensor([[0.0], [9.0]]), torch.tensor([[5.0], [1.0], [1.0], [1.0]]), size)
    assert search.indices.tolist() == [1, 0]
    assert search.squared_distances.tolist() == [1.0, 16.0]


def test_reference_of_the_share_is_mann_whitney() -> None:
    samples, others = gaussian(40, 2)[:, 0].round(decimals=1), gaussian(30, 3, 0.5)[:, 0].round(decimals=1)
    statistic = mannwhitneyu(others.numpy(), samples.numpy()).statistic
    assert nearer_than(samples, others) == pytest.approx(statistic / (40 * 30))


def test_known_shares() -> None:
    assert nearer_than(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 2.0])) == 1.0
    assert nearer_than(torch.tensor([3.0]), torch.tensor([1.0, 2.0])) == 0.0
    assert nearer_than(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5
    assert nearer_than(torch.tensor([1.5, 1.0]), torch.tensor([1.0, 2.0])) == pytest.approx((0.5 + 0.75) / 2)


def test_direction_copies_are_nearer_and_new_images_are_not() -> None:
    train, held_out, new = gaussian(500, 4), gaussian(200, 5), gaussian(200, 6)
    copies = train[:200] + 0.01 * gaussian(200, 7)

    def share(samples: Tensor) -> float:
        search = found(torch.cat([samples, held_out]), train, 100)
        return nearer_than(search.squared_distances[:200], search.squared_distances[200:])

    assert share(copies) > 0.99
    assert share(new) == pytest.approx(0.5, abs=0.08)
    assert share(gaussian(200, 8, 3.0)) < 0.05
