import numpy as np
import pytest
import torch
from torch import Tensor

from components.evaluate_generation import neighbourhoods as module
from components.evaluate_generation.density_coverage import density_coverage
from components.evaluate_generation.neighbourhoods import neighbourhoods


def gaussian(count: int, seed: int, scale: float = 1.0) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed)) * scale


def measured(generated: Tensor, real: Tensor, k: int = 5) -> tuple[float, float]:
    return density_coverage(generated, neighbourhoods(real, k), k)


def by_loops(generated: Tensor, real: Tensor, k: int) -> tuple[float, float]:
    y, x = generated.double().numpy(), real.double().numpy()
    radii = [sorted(np.linalg.norm(x[i] - x[j]) for j in range(len(x)) if j != i)[k - 1] for i in range(len(x))]
    hits = [[np.linalg.norm(one - x[i]) <= radii[i] for i in range(len(x))] for one in y]
    return float(np.sum(hits) / (k * len(y))), float(np.any(hits, axis=0).mean())


@pytest.mark.parametrize("k", [1, 5])
def test_reference_loops(k: int) -> None:
    real, fake = gaussian(60, 0), gaussian(50, 1, 0.9)
    density, coverage = measured(fake, real, k)
    assert (density, coverage) == by_loops(fake, real, k)
    assert 0.1 < coverage < 1.0


def test_known_balls_on_a_line() -> None:
    """Centres at 0, 1, 3 and k = 1: balls [-1, 1], [0, 2], [1, 5]. 0.5 lies in two, 4 in one, -9 in none."""
    real = torch.tensor([[0.0], [1.0], [3.0]])
    assert measured(torch.tensor([[0.5], [4.0], [-9.0]]), real, 1) == (1.0, 1.0)
    assert measured(torch.tensor([[0.5], [0.5], [-9.0]]), real, 1) == (pytest.approx(4 / 3), pytest.approx(2 / 3))


def test_alike_sets_have_density_one_and_the_expected_coverage() -> None:
    """Of the same distribution, coverage is 1 - 2^-k on average, for many images (Naeem et al. 2020, lemma 2)."""
    density, coverage = measured(gaussian(2000, 2), gaussian(2000, 3))
    assert density == pytest.approx(1.0, abs=0.05)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.01)


def test_direction_mode_collapse_is_dense_and_covers_little() -> None:
    generator = torch.Generator().manual_seed(4)
    kinds = 50 * torch.randn(10, 5, generator=generator)
    real = (kinds[:, None] + torch.randn(10, 30, 5, generator=generator)).reshape(-1, 5)
    collapsed = kinds[0] + 0.5 * torch.randn(300, 5, generator=generator)
    density, coverage = measured(collapsed, real)
    assert density > 1
    assert coverage < 0.11
    swapped, _ = measured(real, collapsed)
    assert swapped < 0.2


def test_a_real_outlier_does_not_lift_density() -> None:
    """Where it lifts precision: the outlier's ball, wide as it is, holds all that lies between."""
    real = torch.cat([gaussian(100, 5), torch.full((1, 5), 40.0)])
    between = gaussian(100, 6) + 20
    density, _ = measured(between, real)
    assert density <= 1 / 5


def test_batch_size_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = gaussian(90, 7), gaussian(80, 8)
    whole = measured(fake, real)
    monkeypatch.setattr(module, "_ROWS", 7)
    assert measured(fake, real) == whole
