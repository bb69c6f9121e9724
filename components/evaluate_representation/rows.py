"""N×F numbers that need not fit into memory: they are read some rows at a time, and changed on the way."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor

Part = slice | np.ndarray

# In a chunk, so that a few of its size fit beside everything else: 256 MiB in float64.
NUMBERS_AT_ONCE = 2**25
# What is worked on as a whole takes so much memory at most, with what is made of it: on a CPU in all, on a GPU a share.
_BYTES_ON_CPU = 2**31
_SHARE_OF_GPU = 4
_BYTES_A_NUMBER = 32


@dataclass(frozen=True)
class Rows:
    """`read` gives the rows of a slice, or those of some row numbers in their order, as n×`width` on `device`."""

    count: int
    width: int
    device: torch.device
    read: Callable[[Part], Tensor]

    def __len__(self) -> int:
        return self.count

    def then(self, change: Callable[[Tensor], Tensor], width: int) -> "Rows":
        """The same rows, each changed by itself: n×F -> n×`width`."""
        return Rows(self.count, width, self.device, lambda part: change(self.read(part)))

    def at(self, indices: np.ndarray) -> "Rows":
        """Only the rows with these numbers, in this order."""
        return Rows(len(indices), self.width, self.device, lambda part: self.read(indices[part]))

    def all(self) -> Tensor:
        """Everything at once, for what is known to be small."""
        return self.read(slice(0, self.count))

    @property
    def fits(self) -> bool:
        """Whether all of it may be in memory, and worked on as a whole."""
        room = _BYTES_ON_CPU
        if self.device.type == "cuda":
            room = torch.cuda.get_device_properties(self.device).total_memory // _SHARE_OF_GPU
        return self.count * self.width * _BYTES_A_NUMBER <= room

    def chunks(self, numbers_a_row: int = 0) -> Iterator[tuple[slice, Tensor]]:
        """All rows, in order; the next chunk is read while the present one is worked on.

        Args:
            numbers_a_row: how many the caller makes of each row, if more than there are in it.
        """
        size = max(1, NUMBERS_AT_ONCE // max(self.width, numbers_a_row))
        parts = [slice(start, min(start + size, self.count)) for start in range(0, self.count, size)]
        if len(parts) == 1:
            yield parts[0], self.read(parts[0])
            return
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self.read, parts[0])
            for part, following in zip_longest(parts, parts[1:]):
                present = ahead.result()
                if following is not None:
                    ahead = reader.submit(self.read, following)
                yield part, present


def rows_of(tensor: Tensor) -> Rows:
    """Rows that are in memory: N×F."""

    def read(part: Part) -> Tensor:
        return tensor[part if isinstance(part, slice) else torch.as_tensor(part, device=tensor.device)]

    return Rows(len(tensor), tensor.shape[1], tensor.device, read)


def rows_in(array: np.ndarray, device: torch.device) -> Rows:
    """Rows of an array, such as a memory-mapped one: N×F of any real type -> float32."""

    def read(part: Part) -> Tensor:
        return torch.from_numpy(np.array(array[part], dtype=np.float32)).to(device)

    return Rows(len(array), array.shape[1], device, read)


@dataclass(frozen=True)
class Moments:
    """Of each feature, F float64: mean, variance (of the population), and whether all rows have the same value."""

    mean: Tensor
    variance: Tensor
    constant: Tensor


def moments(rows: Rows) -> Moments:
    """In one pass: the chunks' moments are joined (Chan, Golub & LeVeque 1983)."""
    mean = torch.zeros(rows.width, dtype=torch.float64, device=rows.device)
    squares, lowest, highest = torch.zeros_like(mean), mean + torch.inf, mean - torch.inf
    for part, chunk in rows.chunks():
        wide = chunk.double()
        own, share = wide.mean(0), len(wide) / part.stop
        squares += (wide - own).square().sum(0) + (own - mean).square() * (part.start * share)
        mean += (own - mean) * share
        lowest, highest = torch.minimum(lowest, wide.amin(0)), torch.maximum(highest, wide.amax(0))
    return Moments(mean, squares / len(rows), lowest == highest)
