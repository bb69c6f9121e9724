"""Images that are equal, pixel for pixel as they are stored, within a split and across splits."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from components.artifacts.dataset import SPLITS
from components.artifacts.errors import UserError
from components.prepare.sources.source import printable
from components.prepare.write import Written

_EXAMPLES = 10
_QUOTED = 3


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
        within: per split, the images that repeat an earlier one of the same split.
        leaks: (index, index of its copy) of each image that lies also in a split nearer to test: those of train that
            are in validation or test, and those of validation that are in test.
    """

    within: dict[str, int]
    leaks: list[tuple[int, int]]


def find_duplicates(written: Written) -> Duplicates:
    indices = np.flatnonzero(written.accepted)
    words = written.records["pixels"][indices].view("<u8")
    # Equal images side by side; among these, nearer to test first, then in the order of their names.
    order = np.lexsort((indices, -written.split[indices], *words.T))
    ordered, splits = words[order], written.split[indices[order]]
    repeats = np.zeros(len(order), bool)
    repeats[1:] = (ordered[1:] == ordered[:-1]).all(1)
    first = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(order))))
    same_split = repeats.copy()
    same_split[1:] &= splits[1:] == splits[:-1]
    within = {name: int((same_split & (splits == number)).sum()) for number, name in enumerate(SPLITS)}
    leaking = np.flatnonzero(repeats & (splits != splits[first]))
    pairs = sorted(zip(indices[order[leaking]].tolist(), indices[order[first[leaking]]].tolist(), strict=True))
    return Duplicates(within, pairs)


def treat_leaks(found: Duplicates, written: Written, names: list[bytes], treatment: str) -> dict[str, Any]:
    """Refuses leaks, takes them out of `written.accepted`, or lets them be.

    Args:
        treatment: "refuse", "drop" (the copy further from test goes, so that test stays as it is) or "allow".

    Returns:
        The manifest's entry.

    Raises:
        UserError: there are leaks, and they are to be refused.
    """
    examples = [(printable(names[leak]), printable(names[copy])) for leak, copy in found.leaks[:_EXAMPLES]]
    if found.leaks and treatment == "refuse":
        quoted = "; ".join(
            f"{name} ({SPLITS[written.split[leak]]}) and {copied} ({SPLITS[written.split[copy]]})"
            for (name, copied), (leak, copy) in zip(examples[:_QUOTED], found.leaks[:_QUOTED], strict=True)
        )
        more = "; …" if len(found.leaks) > _QUOTED else ""
        raise UserError(
            f"{len(found.leaks):,} images lie in two splits, pixel for pixel: {quoted}{more}: remove one of each pair, "
            "or set prepare.duplicates_across_splits to drop (the copy in train goes, test stays as it is) or allow: "
            "what is decoded stays"
        )
    dropped = [leak for leak, _ in found.leaks] if treatment == "drop" else []
    written.accepted[dropped] = False
    return {
        "within_splits": found.within,
        "across_splits": len(found.leaks),
        "dropped": len(dropped),
        "examples": [list(pair) for pair in examples],
    }
