import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.image.kid import poly_mmd

from components.evaluate_generation.kernel_distance import kernel_distances


def gaussian(count: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed)) + shift


def whole(first: Tensor, second: Tensor) -> float:
    """Of all images: a single subset that holds them all."""
    return float(kernel_distances(first, second, 1, len(first), seed=0)[0])


def by_loops(first: Tensor, second: Tensor) -> float:
    x, y = first.double().numpy(), second.double().numpy()
    m, n, size = len(x), len(y), x.shape[1]

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / size + 1) ** 3)

    within_x = sum(kernel(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    within_y = sum(kernel(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return within_x + within_y - 2 * sum(kernel(a, b) for a in x for b in y) / (m * n)


def test_reference_loops() -> None:
    first, second = gaussian(20, 0), gaussian(20, 1, 0.5)
    assert whole(first, second) == pytest.approx(by_loops(first, second), rel=1e-12)


def test_reference_torchmetrics() -> None:
    first, second = gaussian(200, 0), gaussian(200, 1, 0.3)
    assert whole(first, second) == pytest.approx(float(poly_mmd(first.double(), second.double())), rel=1e-10)


def test_known_kernels() -> None:
    """k(0, 0) = k(0, v) = 1 and k(v, v) = (|v|²/D + 1)³: of |v|² = D the distance is 1 + 8 - 2."""
    assert whole(torch.zeros(4, 5), torch.ones(4, 5)) == pytest.approx(7.0)
    assert whole(torch.ones(4, 5), torch.ones(4, 5)) == 0.0


def test_known_expectation_of_shifted_gaussians() -> None:
    """In one dimension, E (xy + 1)³ of N(a, 1) and N(b, 1) is 1 + 3ab + 3(a² + 1)(b² + 1) + (a³ + 3a)(b³ + 3b)."""

    def kernel(a: float, b: float) -> float:
        return 1 + 3 * a * b + 3 * (a**2 + 1) * (b**2 + 1) + (a**3 + 3 * a) * (b**3 + 3 * b)

    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(40000, 1, generator=generator), torch.randn(40000, 1, generator=generator) + 1
    expected = kernel(0, 0) + kernel(1, 1) - 2 * kernel(0, 1)
    assert float(kernel_distances(first, second, 40, 1000, seed=0).mean()) == pytest.approx(expected, rel=0.05)


def test_no_bias_for_few_images() -> None:
    """Of the same distribution it is 0 on average, so that it is below 0 about as often as above."""
    found = kernel_distances(gaussian(20000, 2), gaussian(20000, 3), 200, 20, seed=0)
    assert abs(float(found.mean())) < 3 * float(found.std()) / 200**0.5
    assert 0.3 < float((found < 0).double().mean()) < 0.8


def test_direction() -> None:
    real = gaussian(500, 4)
    near, far = (kernel_distances(real, gaussian(500, 5, shift), 10, 100, seed=0).mean() for shift in (0.1, 1.0))
    assert abs(float(near)) < 0.1 * float(far)


def test_subsets_are_of_the_seed_and_without_repetition() -> None:
    first, second = gaussian(60, 6), gaussian(50, 7)
    found = kernel_distances(first, second, 3, 40, seed=1)
    assert found.dtype == torch.float64
    assert len(set(found.tolist())) == 3
    assert torch.equal(found, kernel_distances(first, second, 3, 40, seed=1))
    assert not torch.equal(found, kernel_distances(first, second, 3, 40, seed=2))
    every = kernel_distances(first[:50], second, 3, 50, seed=1)
    torch.testing.assert_close(every, every[:1].expand(3), rtol=1e-12, atol=0)
