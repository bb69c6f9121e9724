"""Images/s of the training step at full size, 128 px, on a CUDA device; a few minutes on a card of 80 GB.

    python -m tests.benchmarks.full_size_step [images]

The paper's base (experiment imagenet_base): G, F and ResNet-50 as E, all at 128 px, from crops of 256 px on the device.
Per precision three ways: ours, ours with contiguous layout, and the straightforward step of plain_step.py, with

    images/s        median over steps; a step takes `images` three times: twice for D, once for G and E
    peak            share of the card's, for matrix products in that precision without sparsity: FLOPs of the
                    convolutions and matrix products that this way computes, by torch's own counter, over the time
    MiB per image   what a step allocates at most beyond weights, gradients, moments and averages, over `images`

The ways follow each other, for their states together would leave less memory to each. A way that does not fit says so.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from components.artifacts.parameters import Recipe
from components.bigbigan.build import Networks, build_networks
from components.compose.compose import compose
from components.train.precision import set_matmul_precision
from tests.benchmarks.same_step import LAYOUT, Batches, OurStep, PlainStep, make_batches

PARAMS = Path(__file__).parents[2] / "params"
CUDA = torch.device("cuda")
REPEATS = 8
PRECISIONS = ("fp32", "tf32", "bf16")

# From the makers' data sheets, by the name that the driver gives: dense TFLOP/s of fp32 outside tensor cores, and of
# tf32 and bf16 in them.
_A100 = (19.5, 156.0, 312.0)
PEAKS = {
    "NVIDIA H200": (67.0, 494.5, 989.0),
    "NVIDIA H100 80GB HBM3": (67.0, 494.5, 989.0),
    "NVIDIA H100 PCIe": (51.0, 378.0, 756.0),
    "NVIDIA A100-SXM4-80GB": _A100,
    "NVIDIA A100-SXM4-40GB": _A100,
    "NVIDIA A100 80GB PCIe": _A100,
    "NVIDIA A100-PCIE-40GB": _A100,
    "NVIDIA L40S": (91.6, 183.0, 362.0),
    "NVIDIA A10": (31.2, 62.5, 125.0),
    "NVIDIA L4": (30.3, 60.0, 121.0),
}

WAYS: dict[str, Callable[[Networks, Recipe], Callable[[Batches], None]]] = {
    "ours": lambda networks, recipe: OurStep(networks, recipe, CUDA),
    "ours, contiguous": lambda networks, recipe: OurStep(networks, recipe, CUDA, LAYOUT),
    "plain": lambda networks, recipe: PlainStep(networks, recipe, CUDA),
}


def peak(card: str, precision: str) -> float | None:
    """FLOP/s that the card can reach, or None for a card that is not in the table."""
    return PEAKS[card][PRECISIONS.index(precision)] * 1e12 if card in PEAKS else None


def full_size_recipe(images: int, precision: str) -> Recipe:
    overrides = ["experiment=imagenet_base", "feature_network.inception_weights=none"]
    recipe = compose(PARAMS, overrides).recipe()
    return replace(recipe, train=replace(recipe.train, batch_size=images, precision=precision))


def count_flops(step: Callable[[Batches], None], batches: Batches) -> int:
    with FlopCounterMode(display=False) as counter:
        step(batches)
    return counter.get_total_flops()


def timed(step: Callable[[Batches], None], batches: Batches) -> float:
    torch.cuda.synchronize()
    started = time.perf_counter()
    step(batches)
    torch.cuda.synchronize()
    return time.perf_counter() - started


def measure(way: str, networks: Networks, recipe: Recipe) -> tuple[float, int, float]:
    """Seconds and FLOPs of a step, and the MiB that it needs per image."""
    step, batches = WAYS[way](networks, recipe), make_batches(recipe, CUDA)
    flops = count_flops(step, batches)  # also the warm-up: makes Adam's moments, chooses the convolutions' algorithms
    for _ in range(2):
        step(batches)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    seconds = statistics.median(timed(step, batches) for _ in range(REPEATS))
    return seconds, flops, (torch.cuda.max_memory_allocated() - before) / 2**20 / recipe.train.batch_size


def row(way: str, precision: str, networks: Networks, images: int, card: str) -> str:
    recipe = full_size_recipe(images, precision)
    set_matmul_precision(precision)
    try:
        seconds, flops, memory = measure(way, networks, recipe)
    except torch.cuda.OutOfMemoryError:
        return f"{precision:<6} {way:<18} does not fit: try fewer images"
    finally:
        torch.cuda.empty_cache()
    turns, reachable = recipe.train.discriminator_steps + 1, peak(card, precision)
    share = "unknown" if reachable is None else f"{flops / seconds / reachable:.1%}"
    rate = images * turns / seconds
    return f"{precision:<6} {way:<18} {rate:>9.1f} {flops / seconds / 1e12:>9.1f} {share:>9} {memory:>15.0f}"


def main(images: int = 64) -> None:
    if not torch.cuda.is_available():
        raise SystemExit("error: no CUDA device here: full size needs one")
    card = torch.cuda.get_device_name()
    recipe = full_size_recipe(images, "fp32")
    networks = build_networks(asdict(recipe), recipe.train.seed)
    known = "" if peak(card, "bf16") else "; its peak is not known here: add its data sheet's to PEAKS"
    print(f"\nfull size, 128 px, {images} images per turn, {card}{known}")
    print(f"{'':<25} {'images/s':>9} {'TFLOP/s':>9} {'of peak':>9} {'MiB per image':>15}")
    for precision in PRECISIONS:
        for way in WAYS:
            print(row(way, precision, networks, images, card), flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
