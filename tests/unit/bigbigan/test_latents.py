"""The prior: moments, range, and one source of randomness."""

import math

import pytest
import torch

from components.bigbigan.latents import draw


def drawn(distribution: str, seed: int = 0) -> torch.Tensor:
    return draw(distribution, (20_000, 5), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("distribution", "variance", "fourth"), [("normal", 1.0, 3.0), ("uniform", 1 / 3, 1 / 5)])
def test_the_moments_are_those_of_the_distribution(distribution, variance, fourth):
    z = drawn(distribution).double()
    error = 5 / math.sqrt(z.numel())
    assert z.shape == (20_000, 5)
    assert abs(z.mean().item()) < error
    assert abs(z.square().mean().item() - variance) < 2 * error
    assert abs(z.pow(4).mean().item() - fourth) < 12 * error
    correlations = torch.corrcoef(z.t()) - torch.eye(5)
    assert correlations.abs().max() < 5 / math.sqrt(20_000)


def test_the_uniform_one_fills_its_range_and_the_normal_one_leaves_it():
    uniform, normal = drawn("uniform"), drawn("normal")
    assert -1 <= uniform.min() < -0.999
    assert 0.999 < uniform.max() <= 1
    assert normal.min() < -3
    assert normal.max() > 3


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_the_generator_is_the_only_source_of_randomness(distribution):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = drawn(distribution)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(drawn(distribution), first)
    assert not torch.equal(drawn(distribution, seed=1), first)


def test_an_unknown_distribution_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown latent distribution 'cauchy': normal and uniform are known"):
        drawn("cauchy")
