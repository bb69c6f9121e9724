"""Images shared out among ranks, a run of consecutive ones to each; shares may be uneven, and some empty."""

import torch
import torch.distributed as dist
from torch import Tensor

from components.artifacts.ranks import Ranks


def share(count: int, ranks: Ranks) -> slice:
    """This rank's part of `count` images."""
    return slice(count * ranks.rank // ranks.count, count * (ranks.rank + 1) // ranks.count)


def all_rows(rows: Tensor, ranks: Ranks) -> Tensor:
    """The rows of all ranks in order of rank, on every rank and on the CPU: N_rank×… -> N×…"""
    if ranks.count == 1:
        return rows.cpu()
    count = torch.tensor([len(rows)], device=ranks.device)
    counts = [torch.empty_like(count) for _ in range(ranks.count)]
    dist.all_gather(counts, count)
    longest = max(int(one) for one in counts)
    padded = torch.zeros(longest, *rows.shape[1:], dtype=rows.dtype, device=ranks.device)
    padded[: len(rows)] = rows
    gathered = [torch.empty_like(padded) for _ in range(ranks.count)]
    dist.all_gather(gathered, padded)
    return torch.cat([part[: int(length)].cpu() for part, length in zip(gathered, counts, strict=True)])


def total(values: Tensor, ranks: Ranks) -> Tensor:
    """The sum over ranks of each value, added in order of rank, on every rank and on the CPU."""
    return all_rows(values[None], ranks).sum(0)
