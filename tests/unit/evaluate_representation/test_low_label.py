import numpy as np

from components.evaluate_representation.low_label import draw, smallest_class

LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 3], [10, 40, 25]))


def test_a_draw_is_balanced_and_repeats_no_image() -> None:
    picked = draw(LABELS, 8, seed=0, number=0)
    assert len(set(picked.tolist())) == 24
    values, counts = np.unique(LABELS[picked], return_counts=True)
    assert values.tolist() == [0, 1, 3]
    assert counts.tolist() == [8, 8, 8]


def test_a_draw_is_a_function_of_seed_size_and_number() -> None:
    first = draw(LABELS, 5, seed=0, number=0)
    np.random.seed(1)
    np.testing.assert_array_equal(draw(LABELS, 5, seed=0, number=0), first)
    for other in (draw(LABELS, 5, seed=0, number=1), draw(LABELS, 5, seed=1, number=0)):
        assert set(other.tolist()) != set(first.tolist())


def test_the_smallest_class_that_has_images() -> None:
    assert smallest_class(LABELS) == 10
