import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from components.evaluate_generation import neighbourhoods as module
from components.evaluate_generation.neighbourhoods import neighbourhoods
from components.evaluate_generation.precision_recall import precision, recall


def gaussian(count: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed)) * scale + shift


def reference(candidates: Tensor, covering: Tensor, k: int) -> float:
    centres = covering.double().numpy()
    distances, _ = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(centres).kneighbors(centres)
    pairs = np.linalg.norm(candidates.double().numpy()[:, None] - centres[None], axis=2)
    return float((pairs <= distances[:, -1]).any(1).mean())


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("shift", [0.0, 500.0])
def test_reference(k: int, shift: float) -> None:
    real, fake = gaussian(150, 0, shift=shift), gaussian(120, 1, 1.4, shift)
    found = precision(fake, neighbourhoods(real, k))
    assert found == reference(fake, real, k)
    assert 0.2 < found < 0.95


def test_batch_size_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = gaussian(90, 2), gaussian(90, 3)
    whole = neighbourhoods(real, 3)
    found = precision(fake, whole)
    monkeypatch.setattr(module, "_ROWS", 7)
    torch.testing.assert_close(neighbourhoods(real, 3).squared_radii, whole.squared_radii)
    assert precision(fake, neighbourhoods(real, 3)) == found


def test_direction_mode_collapse_has_precision_without_recall() -> None:
    """Real images of ten kinds, generated ones of a single kind."""
    generator = torch.Generator().manual_seed(4)
    kinds = 50 * torch.randn(10, 5, generator=generator)
    real = (kinds[:, None] + torch.randn(10, 30, 5, generator=generator)).reshape(-1, 5)
    collapsed = kinds[0] + 0.5 * torch.randn(300, 5, generator=generator)
    assert precision(collapsed, neighbourhoods(real, 3)) > 0.9
    assert recall(real, neighbourhoods(collapsed, 3)) < 0.1


def test_direction_noise_around_the_data_has_recall_without_precision() -> None:
    real, wide = gaussian(300, 5, 0.2), gaussian(300, 6, 3.0)
    assert precision(wide, neighbourhoods(real, 3)) < 0.1
    assert recall(real, neighbourhoods(wide, 3)) > 0.9


def test_known_balls_on_a_line() -> None:
    """Centres at 0, 1, 3: the nearest neighbours lie 1, 1 and 2 away; the second nearest 3, 2 and 3."""
    centres = torch.tensor([[0.0], [1.0], [3.0]])
    torch.testing.assert_close(neighbourhoods(centres, 1).squared_radii, torch.tensor([1.0, 1.0, 4.0]).double())
    torch.testing.assert_close(neighbourhoods(centres, 2).squared_radii, torch.tensor([9.0, 4.0, 9.0]).double())
    assert precision(torch.tensor([[-0.9], [4.9], [5.1], [-1.1]]), neighbourhoods(centres, 1)) == 0.5


def test_equal_images_are_each_others_neighbours() -> None:
    twins = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    assert neighbourhoods(twins, 1).squared_radii.tolist() == [0.0] * 4


def test_too_few_images_for_k() -> None:
    with pytest.raises(ValueError, match="3 images have no 3 neighbours"):
        neighbourhoods(gaussian(3, 7), 3)
