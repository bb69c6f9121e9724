import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from components.artifacts.errors import UserError
from components.measures.frechet_distance import Moments, frechet_distance, moments


def features(count: int, size: int, seed: int) -> Tensor:
    """Correlated, skewed and not centred, as a network's are; float32."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=generator)
    return (torch.randn(count, size, generator=generator) @ mixing).relu() + 3 * torch.rand(size, generator=generator)


def distance(first: Tensor, second: Tensor) -> float:
    return frechet_distance(moments(first), moments(second))


class Identity(nn.Module):
    num_features = 12

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs


def test_reference_torchmetrics() -> None:
    real, fake = features(300, 12, 0), features(200, 12, 1)
    metric = FrechetInceptionDistance(feature=Identity(), input_img_size=(1, 3, 4)).set_dtype(torch.float64)
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    reference = metric.compute()
    assert reference.dtype == torch.float64, "the reference must not be float32"
    assert distance(real, fake) == pytest.approx(float(reference), rel=1e-6)


def test_reference_matrix_square_root() -> None:
    real, fake = features(300, 12, 2).double().numpy(), features(200, 12, 3).double().numpy()
    c1, c2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    reference = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * root)
    assert distance(torch.from_numpy(real).float(), torch.from_numpy(fake).float()) == pytest.approx(
        reference, rel=1e-6
    )


def exact_gaussian(mean: Tensor, covariance: Tensor, count: int = 64) -> Tensor:
    """Features whose mean and covariance (N - 1) are exactly these, float64."""
    raw = torch.randn(count, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    raw -= raw.mean(0)
    whitened = torch.linalg.solve_triangular(torch.linalg.cholesky(torch.cov(raw.T)), raw.T, upper=False).T
    return whitened @ torch.linalg.cholesky(covariance).T + mean


@pytest.mark.parametrize(
    ("mean", "first", "second", "expected"),
    [
        ([0.0, 0.0], [1.0, 1.0], [1.0, 1.0], 0.0),
        ([3.0, 4.0], [1.0, 1.0], [1.0, 1.0], 25.0),
        ([0.0, 0.0], [1.0, 4.0], [9.0, 1.0], (1 - 3) ** 2 + (2 - 1) ** 2),
        ([1.0, 0.0], [1.0, 4.0], [4.0, 4.0], 1.0 + 1.0),
    ],
)
def test_known_gaussians(mean: list[float], first: list[float], second: list[float], expected: float) -> None:
    one = exact_gaussian(torch.zeros(2, dtype=torch.float64), torch.diag(torch.tensor(first, dtype=torch.float64)))
    two = exact_gaussian(torch.tensor(mean, dtype=torch.float64), torch.diag(torch.tensor(second, dtype=torch.float64)))
    assert distance(one, two) == pytest.approx(expected, abs=1e-9)


def test_known_gaussians_that_do_not_commute() -> None:
    # For 2×2, tr((AB)^½)² = tr(AB) + 2 det(AB)^½.
    a = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    b = torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    trace = ((a @ b).trace() + 2 * (a.det() * b.det()).sqrt()).sqrt()
    zero = torch.zeros(2, dtype=torch.float64)
    found = distance(exact_gaussian(zero, a), exact_gaussian(zero, b))
    assert found == pytest.approx(float(a.trace() + b.trace() - 2 * trace), abs=1e-9)


def test_direction_and_symmetry() -> None:
    real, near, far = features(400, 8, 4), features(400, 8, 4) + 0.1, features(400, 8, 4) + 1.0
    assert distance(real, real) == pytest.approx(0.0, abs=1e-9)
    assert 0 < distance(real, near) < distance(real, far)
    assert distance(real, far) == pytest.approx(distance(far, real), rel=1e-9)


def test_dead_features_add_nothing() -> None:
    real, fake = features(100, 6, 5), features(100, 6, 6)
    alive = torch.tensor([0, 1, 3, 4, 5])
    expected = distance(real[:, alive], fake[:, alive])
    real[:, 2] = fake[:, 2] = 0.0
    assert distance(real, fake) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("swapped", [False, True])
def test_known_gaussians_that_are_flat(swapped: bool) -> None:
    """Variances (1, 0) and (4, 9), turned together: (1 - 2)² + 3²."""
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    flat, full = (
        Moments(torch.zeros(2).double(), turn @ torch.diag(torch.tensor(v).double()) @ turn.T)
        for v in ([1.0, 0.0], [4.0, 9.0])
    )
    pair = (full, flat) if swapped else (flat, full)
    assert frechet_distance(*pair) == pytest.approx(10.0, abs=1e-6)


def test_moments_do_not_depend_on_chunks_and_are_float64() -> None:
    many = features(9000, 3, 7)
    found = moments(many)
    assert found.mean.dtype == found.covariance.dtype == torch.float64
    torch.testing.assert_close(found.covariance, torch.cov(many.double().T), rtol=1e-12, atol=1e-12)


def test_large_offset_loses_no_digits() -> None:
    generator = torch.Generator().manual_seed(8)
    small = torch.randint(0, 16, (400, 4), generator=generator).float()
    assert distance(small + 2**20, small + 2**20 + 1) == pytest.approx(4.0, rel=1e-9)


@pytest.mark.parametrize("count", [3, 4])
def test_singular_covariance_is_refused(count: int) -> None:
    with pytest.raises(UserError, match=f"needs more than 4 images, and there are {count}"):
        moments(torch.zeros(count, 4))
    assert isinstance(moments(torch.zeros(5, 4)), Moments)
