"""The processes that train one model together, as torchrun starts them.

    torchrun --nproc-per-node 8 -m components.train --params resolved.yaml ...

Each process is a rank. A rank draws every number of the global batch and takes its own share of it, so the number of
ranks changes no image order and no noise. Rank 0 alone writes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from components.artifacts.errors import UserError

# Rank 0 draws sheets and writes checkpoints while the others wait for it in their next collective.
_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class Ranks:
    """This process among all: its number, how many there are, and the device that it computes on."""

    rank: int
    count: int
    device: torch.device

    @property
    def writes(self) -> bool:
        """Whether this is the rank that logs, draws and saves."""
        return self.rank == 0

    def share(self, batch_size: int) -> slice:
        """This rank's rows of a global batch."""
        rows = batch_size // self.count
        return slice(self.rank * rows, (self.rank + 1) * rows)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over ranks of each value; what is not finite on one rank is not finite in the mean."""
        if self.count > 1:
            dist.all_reduce(values)
            values /= self.count
        return values

    def any(self, wish: bool) -> bool:
        """Whether any rank wishes it; all ranks get the same answer."""
        return bool(self.mean(torch.tensor(float(wish), device=self.device)) > 0)

    def receive(self, tensors: list[Tensor]) -> None:
        """Overwrites the tensors with those of rank 0."""
        if self.count > 1:
            for tensor in tensors:
                message = tensor.detach().contiguous()
                dist.broadcast(message, src=0)
                tensor.detach().copy_(message)


@contextmanager
def all_ranks() -> Iterator[Ranks]:
    """Joins the group that torchrun made, over NCCL on GPUs and gloo elsewhere; without torchrun, this process is all.

    Raises:
        UserError: there are more processes on this machine than GPUs.
    """
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = _device(int(os.environ.get("LOCAL_RANK", "0")))
    if count == 1:
        yield Ranks(0, 1, device)
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE, device_id=device if device.type == "cuda" else None)
    try:
        yield Ranks(rank, count, device)
    finally:
        dist.destroy_process_group()


def _device(local_rank: int) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if local_rank >= torch.cuda.device_count():
        raise UserError(
            f"process {local_rank} of this machine has no GPU: there are {torch.cuda.device_count()}. Start torchrun "
            "with --nproc-per-node at most that, or hide the GPUs with CUDA_VISIBLE_DEVICES= to train on the CPU"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device
