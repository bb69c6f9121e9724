"""Which image goes to which split.

Within a class, images stand in the order of a hash of (seed, name). The first go to test, the next to validation.
So the same names give the same split, and an image that is added or removed moves few others: a test image of
yesterday is hardly ever a training image of today.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from components.artifacts.errors import UserError
from components.artifacts.parameters import Prepare


def assign_splits(
    names: list[bytes], labels: np.ndarray | None, given: list[str] | None, parameters: Prepare
) -> list[str]:
    """The split of each image: "train", "validation" or "test".

    Args:
        names: unique.
        labels: int64, N: each split gets the same share of each class, as nearly as whole images allow.
        given: splits that the source names; kept, except that validation is taken out of train if there is none.

    Raises:
        UserError: there are too few images for each split to get one.
    """
    if given is not None and "validation" in given:
        return given
    splits = np.array(given if given is not None else ["train"] * len(names), dtype="<U10")
    free = np.flatnonzero(splits == "train")
    if given is None:
        _check("test", parameters.test_fraction)
    _check("validation", parameters.validation_fraction)
    needed = 3 if given is None else 2
    if len(free) < needed:
        where = "in all" if given is None else "in the train folder"
        raise UserError(f"there are {len(free)} images {where}, but {needed} are needed: each split gets at least one")

    groups = _ranked_classes(free, names, labels, parameters.split_seed)
    sizes = [len(group) for group in groups]
    test = _shares(sizes, sizes, parameters.test_fraction, len(free) - 2) if given is None else [0] * len(groups)
    left = [size - count for size, count in zip(sizes, test, strict=True)]
    validation = _shares(sizes, left, parameters.validation_fraction, sum(left) - 1)
    for group, first, second in zip(groups, test, validation, strict=True):
        splits[group[:first]] = "test"
        splits[group[first : first + second]] = "validation"
    return splits.tolist()


def _check(split: str, fraction: float) -> None:
    if fraction == 0:
        raise UserError(f"prepare.{split}_fraction is 0, but the source names no {split} images: allowed: more than 0")


def _ranked_classes(indices: np.ndarray, names: list[bytes], labels: np.ndarray | None, seed: int) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for index in indices.tolist():
        groups.setdefault(0 if labels is None else int(labels[index]), []).append(index)
    ranked = [groups[label] for label in sorted(groups)]
    for group in ranked:
        group.sort(key=lambda index: hashlib.sha256(b"%d\0%s" % (seed, names[index])).digest())
    return ranked


def _shares(sizes: Sequence[int], left: Sequence[int], fraction: float, most: int) -> list[int]:
    """How many images each class gives: `fraction` of its size, so rounded that the sum is right (largest remainder).

    Args:
        sizes, left: per class, images in all and images not yet given away.
        most: that may be given in all; at least one is.
    """
    total = min(max(1, round(fraction * sum(sizes))), most)
    shares = [min(int(fraction * size), rest) for size, rest in zip(sizes, left, strict=True)]

    def last_resort_then_remainder(label: int) -> tuple[bool, float, int, int]:
        emptied = left[label] - shares[label] <= 1
        return emptied, shares[label] - fraction * sizes[label], -sizes[label], label

    order = [
        label for label in sorted(range(len(sizes)), key=last_resort_then_remainder) if left[label] > shares[label]
    ]
    for label in order[: max(0, total - sum(shares))]:
        shares[label] += 1
    return shares
