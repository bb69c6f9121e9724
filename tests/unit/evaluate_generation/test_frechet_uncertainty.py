import numpy as np
import pytest
import torch
from torch import Tensor

from components.evaluate_generation.frechet_uncertainty import extrapolated, grouped, sizes_of_sets, standard_error
from components.measures.frechet_distance import Moments, frechet_distance, moments

SIZE = 24
REFERENCE = Moments(torch.zeros(SIZE, dtype=torch.float64), torch.eye(SIZE, dtype=torch.float64))
# Of N(0, 1.5² I) to N(0, I).
TRUE = SIZE * 0.5**2


def draw(seed: int, count: int = 1000) -> Tensor:
    return 1.5 * torch.randn(count, SIZE, generator=torch.Generator().manual_seed(seed))


def distance(features: Tensor) -> float:
    return frechet_distance(REFERENCE, moments(features))


@pytest.mark.parametrize("count", [1000, 997])
def test_reference_by_leaving_out_each_group_in_turn(count: int) -> None:
    features = draw(0, count)
    parts = list(features.tensor_split(10))
    left_out = [distance(torch.cat(parts[:n] + parts[n + 1 :])) for n in range(10)]
    mean = sum(left_out) / 10
    expected = (9 / 10 * sum((one - mean) ** 2 for one in left_out)) ** 0.5
    assert standard_error(grouped(features, 10), REFERENCE) == pytest.approx(expected, rel=1e-8)


def test_standard_error_is_the_spread_over_draws() -> None:
    spread = float(np.std([distance(draw(seed)) for seed in range(60)]))
    told = float(np.mean([standard_error(grouped(draw(seed), 10), REFERENCE) for seed in range(10)]))
    assert told == pytest.approx(spread, rel=0.35)


def test_extrapolation_takes_the_bias_away() -> None:
    biased = float(np.mean([distance(draw(seed)) for seed in range(40)]))
    limits = [extrapolated(grouped(draw(seed), 10), REFERENCE) for seed in range(40)]
    error = float(np.std(limits)) / 40**0.5
    assert biased > TRUE + 6 * error
    assert float(np.mean(limits)) == pytest.approx(TRUE, abs=3 * error)


def test_reference_of_the_extrapolation() -> None:
    """A line by its normal equations, through means over the halves, fifths and tenths of the features."""
    features = draw(1)
    counts = [100, 200, 500, 1000]
    means = [np.mean([distance(features[k * n : (k + 1) * n]) for k in range(1000 // n)]) for n in counts]
    x, y = 1 / np.array(counts), np.array(means)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    assert extrapolated(grouped(features, 10), REFERENCE) == pytest.approx(y.mean() - slope * x.mean(), rel=1e-8)


def test_sets_near_the_number_of_features_are_left_out() -> None:
    assert sizes_of_sets(groups=10, samples=50000, features=2048) == [1, 2, 5, 10]
    assert sizes_of_sets(groups=10, samples=40959, features=2048) == [2, 5, 10]
    assert sizes_of_sets(groups=12, samples=120, features=20) == [4, 6, 12]
    features = draw(2, 240)
    assert np.isfinite(extrapolated(grouped(features, 10), REFERENCE))
    with pytest.raises(ValueError, match="a line through 2 points"):
        extrapolated(grouped(features[:239], 10), REFERENCE)
