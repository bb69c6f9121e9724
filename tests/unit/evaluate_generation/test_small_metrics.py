"""Class histogram and reconstruction."""

import math

import pytest
import torch

from components.evaluate_generation.class_histogram import class_histogram, total_variation
from components.evaluate_generation.reconstruction import Errors, error_sums, reconstruction_errors, same_class


def test_class_histogram_counts_lost_classes_too() -> None:
    logits = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 2]), 4).float()
    assert class_histogram(logits).tolist() == [0.75, 0.0, 0.25, 0.0]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([0.5, 0.5], [0.5, 0.5], 0.0), ([1.0, 0.0], [0.0, 1.0], 1.0), ([0.5, 0.5, 0.0], [0.5, 0.25, 0.25], 0.25)],
)
def test_total_variation(first: list[float], second: list[float], expected: float) -> None:
    assert total_variation(torch.tensor(first), torch.tensor(second)) == pytest.approx(expected)


def errors_of(originals: torch.Tensor, reconstructions: torch.Tensor) -> Errors:
    return reconstruction_errors(error_sums(originals, reconstructions, reconstructions.roll(1, 0)), len(originals))


def test_reconstruction_errors_of_known_images() -> None:
    originals = torch.tensor([-1.0, 0.0, 1.0]).reshape(3, 1, 1, 1).expand(3, 2, 2, 2)
    reconstructions = originals.clone()
    reconstructions[:, 0] += 0.5
    errors = errors_of(originals, reconstructions)
    assert errors.l1 == pytest.approx(0.25)
    assert errors.l2 == pytest.approx(math.sqrt(0.125))
    # Shuffled: x₁ with the third, x₂ with the first, x₃ with the second.
    l1 = [(2.5 + 2) / 2, (0.5 + 1) / 2, (0.5 + 1) / 2]
    l2 = [math.sqrt((6.25 + 4) / 2), math.sqrt((0.25 + 1) / 2), math.sqrt((0.25 + 1) / 2)]
    assert errors.relative_l1 == pytest.approx(0.25 / (sum(l1) / 3))
    assert errors.relative_l2 == pytest.approx(math.sqrt(0.125) / (sum(l2) / 3))


def test_reconstruction_direction() -> None:
    generator = torch.Generator().manual_seed(0)
    originals = torch.rand(50, 1, 4, 4, generator=generator) * 2 - 1
    noise = torch.rand(50, 1, 4, 4, generator=generator) * 2 - 1
    perfect = errors_of(originals, originals)
    good = errors_of(originals, 0.8 * originals + 0.2 * noise)
    unrelated = errors_of(originals, noise)
    assert perfect.relative_l1 == perfect.relative_l2 == 0.0
    assert good.relative_l1 < 0.4
    assert unrelated.relative_l1 == pytest.approx(1.0, abs=0.05)
    assert unrelated.relative_l2 == pytest.approx(1.0, abs=0.05)


def test_same_class() -> None:
    before = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [0.0, 9.0]])
    after = torch.tensor([[5.0, 0.0], [1.0, 0.0], [3.0, 2.9], [0.0, 1.0]])
    assert same_class(before, after).tolist() == [True, False, True, True]
