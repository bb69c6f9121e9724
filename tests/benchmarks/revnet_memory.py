"""Peak memory and time of a RevNet-50 step, reversible as it is against stored activations, in one run.

    python -m tests.benchmarks.revnet_memory [width] [resolution] [images]

Prints the memory that a step, forward and backward, takes beyond the network and its gradients, and reversible /
stored: the most that torch's allocator had given out and, on the CPU, by how much the process's peak resident set rose
(what the C library keeps and what convolutions use inside count there), each way in a process of its own. Then the
time, the median of interleaved steps. With few images or a wide network the parameters' gradients dominate both.
"""

import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from components.bigbigan.encoder.revnet import RevNet

REPEATS = 9
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def stored(network: RevNet, x: Tensor) -> Tensor:
    """The straightforward way: the same network, its activations kept for the backward pass."""
    a, b = network.stem.forward(x).chunk(2, dim=1)
    for i, stage in enumerate(network.stages):
        if i > 0:
            a, b = (F.avg_pool2d(half, 2, ceil_mode=True) for half in (a, b))
            a, b = F.pad(a, (0, 0, 0, 0, stage.zeros, 0)), F.pad(b, (0, 0, 0, 0, 0, stage.zeros))
        for residual in stage.residuals:
            a, b = b, a + residual(b)
    return network.norm(torch.cat([a, b], dim=1)).mean(dim=(2, 3))


def reversible(network: RevNet, x: Tensor) -> Tensor:
    return network(x)


def step(forward: Callable[[RevNet, Tensor], Tensor], network: RevNet, x: Tensor) -> float:
    started = time.perf_counter()
    forward(network, x).square().sum().backward()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def prepared(width: int, resolution: int, images: int) -> tuple[RevNet, Tensor]:
    """A network that has made a small step, so that its gradients are there and what is loaded once is loaded."""
    torch.manual_seed(0)
    network = RevNet(3, resolution, width).to(DEVICE)
    for forward in (stored, reversible):
        step(forward, network, torch.randn(2, 3, 64, 64, device=DEVICE))
    return network, torch.randn(images, 3, resolution, resolution, device=DEVICE)


def peak_mebibytes(forward: Callable[[RevNet, Tensor], Tensor], *sizes: int) -> list[float]:
    """[by the allocator], and on the CPU [by the allocator, resident]."""
    network, x = prepared(*sizes)
    if DEVICE.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step(forward, network, x)
        return [(torch.cuda.max_memory_allocated() - before) / 2**20]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(forward, network, x)
    resident = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step(forward, network, x)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(trace))
        events = [event for event in json.loads(trace.read_text())["traceEvents"] if event["name"] == "[memory]"]
    events.sort(key=lambda event: event["ts"])
    totals = [event["args"]["Total Allocated"] for event in events]
    return [(max(totals) - totals[0] + events[0]["args"]["Bytes"]) / 2**20, resident]


def in_its_own_process(forward: Callable[[RevNet, Tensor], Tensor], *sizes: int) -> list[float]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(peak_mebibytes, forward, *sizes).result()


def main(width: int = 1, resolution: int = 128, images: int = 16) -> None:
    sizes = width, resolution, images
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"RevNet-50×{width}, {images} images of {resolution} px, float32, {name}")
    peaks = zip(*(in_its_own_process(forward, *sizes) for forward in (stored, reversible)), strict=True)
    for kind, (first, second) in zip(("allocated", "resident"), peaks, strict=False):
        print(f"peak {kind:<9}  stored {first:7.1f} MiB  reversible {second:7.1f} MiB  ratio {second / first:.2f}")
    network, x = prepared(*sizes)
    times = [(step(stored, network, x), step(reversible, network, x)) for _ in range(REPEATS)]
    first, second = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"time            stored {first:7.3f} s    reversible {second:7.3f} s    ratio {second / first:.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
