import contextlib
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from components.artifacts.dataset import Split
from components.artifacts.ranks import Ranks
from components.bigbigan.pixels import to_float
from components.train.batches import batches
from components.train.draws import image_indices
from tests.unit.train.toy import ALONE, CPU, make_images, make_recipe

POSITIONS = range(0, 40, 8)


def train_parameters(parts: int = 1) -> object:
    return make_recipe(changes={"train.batch_size": 8, "train.accumulation_steps": parts}).train


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def directly(position: int) -> torch.Tensor:
    images = make_images()
    return to_float(images.images(image_indices(3, len(images), position, 8)))


def test_they_are_the_batches_that_one_would_read_directly() -> None:
    found = list(batches(make_images(), train_parameters(), POSITIONS, ALONE))
    assert len(found) == 5
    for batch, position in zip(found, POSITIONS, strict=True):
        assert torch.equal(batch, directly(position))


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_shares_of_all_ranks_make_up_the_global_batch_part_by_part(count: int, parts: int) -> None:
    shares = [
        list(batches(make_images(), train_parameters(parts), POSITIONS, Ranks(rank, count, CPU)))
        for rank in range(count)
    ]
    for index, position in enumerate(POSITIONS):
        assert len({len(share[index]) for share in shares}) == 1
        by_part = zip(*(share[index].chunk(parts) for share in shares), strict=True)
        assert torch.equal(torch.cat([piece for part in by_part for piece in part]), directly(position))


class Torn(Split):
    """Images whose third batch cannot be read."""

    def images(self, indices: object = None) -> np.ndarray:
        self.__dict__["reads"] = self.__dict__.get("reads", 0) + 1
        if self.__dict__["reads"] == 3:
            raise OSError(5, "Input/output error")
        return super().images(indices)  # type: ignore[arg-type]


def test_what_stops_the_reader_reaches_the_loop_at_its_batch() -> None:
    found: list[torch.Tensor] = []
    with pytest.raises(OSError, match="Input/output error"):
        found.extend(batches(Torn(make_images().shards, None), train_parameters(), POSITIONS, ALONE))
    whole = batches(Torn(make_images().shards, None), train_parameters(), POSITIONS, ALONE)
    assert torch.equal(next(whole), directly(0))
    assert torch.equal(next(whole), directly(8))
    with pytest.raises(OSError, match="Input/output error"):
        next(whole)


def test_the_reader_ends_with_the_batches_and_when_the_loop_stops_early() -> None:
    list(batches(make_images(), train_parameters(), POSITIONS, ALONE))
    assert readers() == []
    started = batches(make_images(), train_parameters(), POSITIONS, ALONE)
    next(started)
    assert len(readers()) == 1
    del started
    assert readers() == []


def test_the_reader_ends_when_the_loop_fails() -> None:
    def loop() -> None:
        for _ in batches(make_images(), train_parameters(), POSITIONS, ALONE):
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        loop()
    assert readers() == []


def test_it_reads_ahead_and_not_further_than_it_says() -> None:
    asked: list[int] = []

    def positions() -> Iterator[int]:
        for position in range(0, 80, 8):
            asked.append(position)
            yield position

    real = batches(make_images(), train_parameters(), positions(), ALONE)
    next(real)
    time.sleep(0.01)
    assert asked == [0, 8, 16]
    next(real)
    assert asked == [0, 8, 16, 24]
