"""Whether the machine has room for the threads that torch will use."""

import os

import torch

from components.artifacts.ranks import Ranks


def busy_machine(ranks: Ranks) -> str | None:
    """What to tell the person if other programs already use the cores, or None.

    Torch's threads wait for each other hundreds of times in a step. One thread without a core of its own makes all of
    them slow: with one busy program on two cores, two threads were measured 4 times slower than one.
    """
    cores, threads, load = os.cpu_count() or 1, torch.get_num_threads(), os.getloadavg()[0]
    if ranks.device.type == "cuda" or threads == 1 or load + threads <= cores + 0.9:
        return None
    return (
        f"warning: other programs use about {load:.1f} of {cores} cores. Training with {threads} threads "
        "may be many times slower than with fewer: stop it (Ctrl-C loses nothing), and run it with OMP_NUM_THREADS=1, "
        "or when the machine is free"
    )
