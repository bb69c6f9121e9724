"""Images lie where they belong, whoever put them there first, and gaps close without disorder."""

import hashlib

import numpy as np
import pytest

from components.prepare.shards import Shards

SHAPE = (4, 5, 3)


def image(number: int) -> np.ndarray:
    return np.full(SHAPE, number, np.uint8)


@pytest.fixture
def shards(tmp_path):
    made = Shards(tmp_path / "train", SHAPE, slots=8, shard_images=3)
    made.make_room()
    return made


def stored(shards: Shards) -> list[list[int]]:
    return [np.load(path)[:, 0, 0, 0].tolist() for path in shards.paths if path.exists()]


def test_images_may_come_in_any_order(shards):
    order = [5, 0, 7, 2, 1, 6, 3, 4]
    for part in (order[:3], order[3:]):
        shards.put(part, [image(number + 10) for number in part])
    assert stored(shards) == [[10, 11, 12], [13, 14, 15], [16, 17]]
    assert list(shards.digests()) == [hashlib.sha256(image(n + 10).tobytes()).digest() for n in range(8)]


def test_room_is_made_again_around_what_is_there(shards):
    shards.put([4], [image(4)])
    shards.make_room()
    assert stored(shards) == [[0, 0, 0], [0, 4, 0], [0, 0]]


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        (range(8), [[1, 2, 3], [4, 5, 6], [7, 8]]),
        ((0, 2, 3, 4, 5, 7), [[1, 3], [4, 5, 6], [8]]),
        ((1, 5), [[2], [6]]),
        ((0, 1, 2), [[1, 2, 3]]),
        ((), []),
    ],
)
def test_gaps_are_closed_in_order(shards, kept, left):
    shards.put(range(8), [image(number + 1) for number in range(8)])
    digest = shards.close_gaps(np.isin(np.arange(8), kept))
    assert stored(shards) == left
    assert digest == hashlib.sha256(b"".join(image(number + 1).tobytes() for number in sorted(kept))).digest()


def test_a_run_that_was_killed_while_gaps_closed_finds_out_which_images_are_wrong(shards):
    shards.put(range(8), [image(number + 1) for number in range(8)])
    right = list(shards.digests())
    shards.close_gaps(np.arange(8) != 1)
    shards.make_room()
    wrong = [index for index, digest in enumerate(shards.digests()) if digest != right[index]]
    assert wrong == [1, 2]
