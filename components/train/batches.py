"""Real images for each step, read ahead of it."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.parameters import Train
from components.artifacts.ranks import Ranks
from components.bigbigan.pixels import to_float
from components.train.draws import image_indices

# Batches that are read while the present one is learnt from.
_AHEAD = 2


def batches(images: Split, train: Train, positions: Iterable[int], ranks: Ranks) -> Iterator[Tensor]:
    """This rank's share of each global batch, on its device: float N×C×H×W in [-1, 1].

    Args:
        positions: of the first image of each batch in the endless sequence of epochs.
    """
    rows = ranks.share(train.batch_size, train.accumulation_steps).numpy()

    def read(position: int) -> Tensor:
        indices = image_indices(train.seed, len(images), position, train.batch_size)[rows]
        pixels = torch.as_tensor(images.images(indices))
        return pixels.pin_memory() if ranks.device.type == "cuda" else pixels

    pending: deque[Future[Tensor]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        for position in positions:
            pending.append(reader.submit(read, position))
            if len(pending) > _AHEAD:
                yield to_float(pending.popleft().result().to(ranks.device, non_blocking=True))
        while pending:
            yield to_float(pending.popleft().result().to(ranks.device, non_blocking=True))
