from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.parameters import EvaluateRepresentation
from components.evaluate_representation.low_label import all_draws, draw, draw_percent

LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 3], [10, 40, 25]))
NAMES = ["ant", "bee", "cat", "dog"]


def test_a_draw_is_balanced_and_repeats_no_image() -> None:
    picked = draw(LABELS, 8, seed=0, number=0)
    assert len(set(picked.tolist())) == 24
    values, counts = np.unique(LABELS[picked], return_counts=True)
    assert values.tolist() == [0, 1, 3]
    assert counts.tolist() == [8, 8, 8]


@pytest.mark.parametrize(("percent", "counts"), [(10, [1, 4, 3]), (20, [2, 8, 5]), (99, [10, 40, 25])])
def test_a_draw_of_so_many_percent_keeps_the_shares_of_the_classes(percent: int, counts: list[int]) -> None:
    picked = draw_percent(LABELS, percent, seed=0, number=0)
    assert len(set(picked.tolist())) == sum(counts)
    values, found = np.unique(LABELS[picked], return_counts=True)
    assert values.tolist() == [0, 1, 3]
    assert found.tolist() == counts


@pytest.mark.parametrize("kind", [draw, draw_percent])
def test_a_draw_is_a_function_of_seed_size_and_number(kind) -> None:
    first = kind(LABELS, 10, seed=0, number=0)
    np.random.seed(1)
    np.testing.assert_array_equal(kind(LABELS, 10, seed=0, number=0), first)
    for other in (kind(LABELS, 10, seed=0, number=1), kind(LABELS, 10, seed=1, number=0)):
        assert set(other.tolist()) != set(first.tolist())


def test_what_leaves_the_smallest_class_without_enough_images_is_said_and_left_out(
    parameters: EvaluateRepresentation,
) -> None:
    draws, remarks = all_draws(
        LABELS, NAMES, replace(parameters, labels_per_class=[10, 11], labels_percent=[4, 5], low_label_draws=3)
    )
    assert {kind: len(own) for kind, own in draws.items()} == {"10_per_class": 3, "5_percent": 3}
    assert remarks == [
        "skipped 11 labels a class (evaluate_representation.labels_per_class): the smallest class, ant, has 10 train "
        "images",
        "skipped 4 % of the labels (evaluate_representation.labels_percent): the smallest class, ant, has 10 train "
        "images, which leaves it none",
    ]
