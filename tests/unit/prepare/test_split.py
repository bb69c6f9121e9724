"""Splits: a function of the names and the seed, with each class in its share."""

import random

import numpy as np
import pytest

from components.artifacts.errors import UserError
from components.artifacts.parameters import Prepare
from components.prepare.split import assign_splits


def parameters(**changes: float) -> Prepare:
    values = {"split_seed": 0, "validation_fraction": 0.1, "test_fraction": 0.1}
    return Prepare(
        **(
            values
            | {"maximum_rejected_fraction": 0.05, "duplicates_across_splits": "refuse", "shard_images": 100}
            | changes
        )
    )


def names(count: int) -> list[bytes]:
    return [b"%05d.png" % index for index in range(count)]


def counts(splits: list[str]) -> tuple[int, int, int]:
    return splits.count("train"), splits.count("validation"), splits.count("test")


@pytest.mark.parametrize(
    ("images", "validation", "test", "expected"),
    [
        (3, 0.1, 0.1, (1, 1, 1)),
        (10, 0.1, 0.1, (8, 1, 1)),
        (14, 0.1, 0.1, (12, 1, 1)),
        (100, 0.1, 0.29, (61, 10, 29)),
        (4, 0.45, 0.45, (1, 1, 2)),
        (3, 0.3, 0.6, (1, 1, 1)),
        (1000, 0.001, 0.9, (99, 1, 900)),
    ],
)
def test_sizes_without_labels(images, validation, test, expected):
    chosen = parameters(validation_fraction=validation, test_fraction=test)
    assert counts(assign_splits(names(images), None, None, chosen)) == expected


@pytest.mark.parametrize("images", [1, 2])
def test_too_few_images_are_refused_with_both_numbers(images):
    with pytest.raises(UserError, match=f"there are {images} images in all, but 3 are needed"):
        assign_splits(names(images), None, None, parameters())


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_fraction_of_zero_is_refused_by_name(split):
    with pytest.raises(UserError, match=f"prepare.{split}_fraction is 0"):
        assign_splits(names(10), None, None, parameters(**{f"{split}_fraction": 0.0}))


@pytest.mark.parametrize("sizes", [[500] * 10, [3] * 10, [7, 100, 31], [1, 1, 1, 500], [2, 2], [5, 995]])
def test_each_class_gets_its_share(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    splits = np.array(assign_splits(names(len(labels)), labels, None, parameters()))
    total = sum(sizes)
    for split in ("validation", "test"):
        assert (splits == split).sum() == max(1, round(0.1 * total))
        for label, size in enumerate(sizes):
            assert abs(((splits == split) & (labels == label)).sum() - 0.1 * size) < 1


def test_a_class_of_one_image_stays_in_train_where_others_can_give():
    # 51 are wanted of each; the large class gives 50 without a remainder, and must give the last one too.
    labels = np.array([0, 1, 2, 3, 4, 5] + [6] * 500)
    splits = assign_splits(names(506), labels, None, parameters())
    assert splits[:6] == ["train"] * 6


def test_the_order_of_listing_does_not_matter():
    listed = names(200)
    labels = np.arange(200) % 3
    first = dict(zip(listed, assign_splits(listed, labels, None, parameters()), strict=True))
    order = list(range(200))
    random.Random(0).shuffle(order)
    shuffled = [listed[index] for index in order]
    second = dict(zip(shuffled, assign_splits(shuffled, labels[order], None, parameters()), strict=True))
    assert first == second


def test_the_seed_changes_the_split():
    first, second = (assign_splits(names(200), None, None, parameters(split_seed=seed)) for seed in (0, 1))
    assert first != second
    assert counts(first) == counts(second)


def test_a_new_image_moves_few_others():
    before = assign_splits(names(1000), None, None, parameters())
    after = assign_splits([*names(1000), b"new.png"], None, None, parameters())
    assert sum(old != new for old, new in zip(before, after, strict=False)) <= 3


def test_given_splits_are_kept():
    given = ["train", "test", "validation", "train"]
    assert assign_splits(names(4), None, given, parameters()) == given


def test_a_fraction_that_is_not_needed_may_be_zero():
    chosen = parameters(test_fraction=0.0)
    assert counts(assign_splits(names(11), None, ["train"] * 10 + ["test"], chosen)) == (9, 1, 1)


def test_validation_is_taken_out_of_train_if_it_is_not_given():
    given = ["train"] * 80 + ["test"] * 20
    labels = np.array([0, 1] * 50)
    splits = assign_splits(names(100), labels, given, parameters())
    assert counts(splits) == (72, 8, 20)
    assert splits[80:] == ["test"] * 20
    assert [splits[label:80:2].count("validation") for label in (0, 1)] == [4, 4]


def test_a_train_folder_of_one_image_is_refused():
    with pytest.raises(UserError, match="1 images in the train folder, but 2 are needed"):
        assign_splits(names(2), None, ["train", "test"], parameters())
