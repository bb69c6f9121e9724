"""The processes that work on one model together, as torchrun starts them.

Each process is a rank. A rank draws every number of the global batch and takes its own share of it, so the number of
ranks changes no image order and no noise. Rank 0 alone writes.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from components.artifacts.command import Terminated
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

    def share(self, batch_size: int, parts: int) -> Tensor:
        """This rank's rows of a global batch that is taken in `parts`: its share of each, part after part.

        So all ranks together see the same parts, however many they are.
        """
        return torch.arange(batch_size).view(parts, self.count, -1)[:, self.rank].flatten()

    def mean(self, values: Tensor) -> Tensor:
        """The mean over ranks of each value; what is not finite on one rank is not finite in the mean."""
        if self.count > 1:
            dist.all_reduce(values)
            values /= self.count
        return values

    def any(self, wish: bool) -> bool:
        """Whether any rank wishes it; all ranks get the same answer."""
        if self.count == 1:
            return wish
        return bool(self.mean(torch.tensor(float(wish), device=self.device)) > 0)

    def wait(self) -> None:
        """Returns when all ranks have come here."""
        self.any(False)

    def receive(self, tensors: list[Tensor]) -> None:
        """Overwrites the tensors with those of rank 0."""
        if self.count > 1:
            for tensor in tensors:
                message = tensor.detach().contiguous()
                dist.broadcast(message, src=0)
                tensor.detach().copy_(message)


def torchrun_for_all_gpus(module: str, arguments: list[str]) -> list[str] | None:
    """The command that starts a step once for each GPU of this machine; None where one process will do.

    Args:
        module, arguments: of the step's own command, `python -m <module> <arguments>`.
    """
    if "WORLD_SIZE" in os.environ or torch.cuda.device_count() < 2:
        return None
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "gpu"]
    return [*torchrun, "-m", module, *arguments]


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
    gpu = device if device.type == "cuda" else None
    dist.init_process_group(backend, store=_store(), rank=rank, world_size=count, timeout=_PATIENCE, device_id=gpu)
    try:
        yield Ranks(rank, count, device)
    except (KeyboardInterrupt, Terminated):
        dist.destroy_process_group()  # all ranks stop together
        raise
    # After another error the group is left as it is: its orderly end would wait for ranks that wait for this one.
    dist.destroy_process_group()


def _store() -> dist.Store:
    """Where the ranks find each other. torchrun's own outlives a restart, with the addresses of processes that died."""
    store, _, _ = next(dist.rendezvous("env://", timeout=_PATIENCE))
    return dist.PrefixStore(f"attempt-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def _device(local_rank: int) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if local_rank >= torch.cuda.device_count():
        raise UserError(
            f"process {local_rank} of this machine has no GPU: there are {torch.cuda.device_count()}. Start torchrun "
            "with --nproc-per-node at most that, or hide the GPUs with CUDA_VISIBLE_DEVICES= to work on the CPU"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device
