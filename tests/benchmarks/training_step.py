"""Images/s of a whole training step, beside the straightforward way of writing it (plain_step.py), in one run.

    python -m tests.benchmarks.training_step [repeats]

First it shows that the two are one in mathematics: how far from each other a step in float64 leads them. Then, for the
default model on the CPU with 1 and 2 threads: images/s of both ways and ours / plain, above 1 where ours wins; and what
each item of plain_step.py gains: our images/s over those of our step with that item alone written plainly (of "frozen
D", which our trainer always does: those of the plain step with that item as ours, over the plain step's). All are
interleaved and medians are taken, so that a noisy machine disturbs all alike. Where there is a CUDA device, the table
of full_size_step.py follows.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from components.artifacts.parameters import Recipe
from components.bigbigan.build import build_networks
from components.compose.compose import compose
from tests.benchmarks import full_size_step
from tests.benchmarks.same_step import ITEMS, Batches, OurStep, PlainStep, differences, make_batches

PARAMS = Path(__file__).parents[2] / "params"
CPU = torch.device("cpu")


def images_per_second(steps: dict[str, Callable[[Batches], None]], recipe: Recipe, repeats: int) -> dict[str, float]:
    """Of each step, by the median over interleaved repeats; the first, in which memory is found, does not count."""
    batches, times = make_batches(recipe, CPU), dict[str, list[float]]()
    for _ in range(repeats + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step(batches)
            times.setdefault(name, []).append(time.perf_counter() - started)
    images = recipe.train.batch_size * len(batches)
    return {name: images / statistics.median(seconds[1:]) for name, seconds in times.items()}


def compare(recipe: Recipe, repeats: int) -> None:
    networks = build_networks(asdict(recipe), recipe.train.seed)
    steps: dict[str, Callable[[Batches], None]] = {item: OurStep(networks, recipe, CPU, item) for item in ITEMS}
    steps |= {"ours": OurStep(networks, recipe, CPU), "plain": PlainStep(networks, recipe, CPU)}
    steps["plain, frozen D"] = PlainStep(networks, recipe, CPU, freezes=True)
    rates = images_per_second(steps, recipe, repeats)
    ours, plain, frozen = rates["ours"], rates["plain"], rates["plain, frozen D"]
    print(f"\n{torch.get_num_threads()} threads, images/s, medians of {repeats}")
    print(
        f"  ours {ours:.0f}, plain {plain:.0f}: ours / plain {ours / plain:.2f}; {ours / frozen:.2f} if plain froze D"
    )
    print("  gained by: " + ", ".join(f"{item} {ours / rates[item]:.2f}" for item in ITEMS), end="")
    print(f", frozen D {frozen / plain:.2f}", flush=True)


def main(repeats: int = 20) -> None:
    recipe = compose(PARAMS, []).recipe()
    print("largest relative difference between the weights after a step in float64, ours and")
    for name, largest in differences(recipe).items():
        print(f"  {name:<16} {largest:.1e}")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        compare(recipe, repeats)
    if torch.cuda.is_available():
        full_size_step.main()
    else:
        print("\nfull size: no CUDA device here")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
