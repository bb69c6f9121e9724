"""How fast training images come off one core: fetched from memory-mapped shards and seen in random views.

    python -m tests.benchmarks.loading

Prints two tables of images/s. First, crops of RGB images: of the bytes alone, which is all that a GPU wants from the
CPU, for it crops by itself; with batches cropped on the CPU; with the same crops made by Pillow one by one; and the
ratio of the latter two: above 1, batches win. Second, the default model: loaded and augmented, learnt from, and the
ratio: above 1, loading outruns learning. What is compared is interleaved and medians are taken, so that a noisy
machine disturbs all alike.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.parameters import CropAugmentation, Recipe
from components.artifacts.ranks import Ranks
from components.bigbigan.build import build_networks
from components.bigbigan.pixels import to_float
from components.compose.compose import compose
from components.train.augmentation import augment
from components.train.draws import Draws, image_indices, step_draws
from components.train.phase import apply, backward, phases
from components.train.state import new_state
from components.train.views import Crops, draw_views

REPEATS = 30
BATCH = 32
IMAGES = 1024
CROP = CropAugmentation(kind="crop", minimum_area=0.08, aspect=4 / 3, flip=True, generated=False)
PARAMS = Path(__file__).parents[2] / "params"


def write_split(directory: Path, size: int, channels: int) -> Split:
    """Two shards of smooth random images, opened as training opens them."""
    rng = np.random.default_rng(0)
    shards = []
    for shard in range(2):
        path = directory / f"{size}-{shard}.npy"
        coarse = rng.integers(0, 256, (IMAGES // 2, size // 8, size // 8, 3), dtype=np.uint8)
        images = np.stack([np.asarray(Image.fromarray(image).resize((size, size))) for image in coarse])
        np.save(path, np.ascontiguousarray(images[..., :channels]))
        shards.append(np.load(path, mmap_mode="r"))
    return Split(shards, labels=None)


def draw(step: int, size: int) -> tuple[np.ndarray, Crops]:
    views = draw_views(BATCH, size, CROP, torch.Generator().manual_seed(step))
    assert isinstance(views, Crops)
    return image_indices(0, IMAGES, step * BATCH, BATCH), views


def fetched(split: Split, size: int, step: int) -> np.ndarray:
    return split.images(draw(step, size)[0])


def batched(split: Split, size: int, step: int) -> Tensor:
    indices, views = draw(step, size)
    return augment(to_float(split.images(indices)), views)


def one_by_one(split: Split, size: int, step: int) -> Tensor:
    indices, views = draw(step, size)
    seen = []
    for index, box, flip in zip(indices, views.boxes.tolist(), views.flips.tolist(), strict=True):
        top, left, height, width = box
        image = Image.fromarray(split.images([index])[0])
        image = image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        seen.append(np.asarray(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else image))
    return to_float(np.stack(seen))


def timed(work: Callable[..., Any], *arguments: object) -> tuple[Any, float]:
    """What `work` returns, and the seconds that it took."""
    started = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - started


def rates(times: list[list[float]], images: int) -> list[float]:
    """Images/s of each way, by the median over repeats."""
    return [images / statistics.median(column) for column in zip(*times, strict=True)]


def compare_crops(directory: Path) -> None:
    ways = (fetched, batched, one_by_one)
    print(f"{'crops':<16} {'bytes':>10} {'cropped':>10} {'Pillow':>10} {'cropped / Pillow':>18}")
    for size in (128, 256):
        split = write_split(directory, size, 3)
        # Pillow rounds to whole levels, twice.
        torch.testing.assert_close(batched(split, size, 0), one_by_one(split, size, 0), rtol=0, atol=1.13 / 127.5)
        times = [[timed(way, split, size, step)[1] for way in ways] for step in range(REPEATS)]
        fetch, crop, pillow = rates(times, BATCH)
        print(f"{f'{size} px':<16} {fetch:>10.0f} {crop:>10.0f} {pillow:>10.0f} {crop / pillow:>18.2f}")


def compare_with_training(directory: Path) -> None:
    whole = compose(PARAMS, [])
    recipe = Recipe(whole.image, whole.model, whole.objective, whole.augmentation, whole.train)
    count, seed, ranks = recipe.train.batch_size, recipe.train.seed, Ranks(0, 1, torch.device("cpu"))
    split = write_split(directory, recipe.image.size, recipe.image.channels)
    state = new_state(build_networks(asdict(recipe), seed), recipe.train, ranks.device)
    turns = phases(state, recipe, ranks)

    def load(step: int) -> list[tuple[Tensor, Draws]]:
        loaded = []
        for index in range(len(turns)):
            indices = image_indices(seed, IMAGES, (step * len(turns) + index) * count, count)
            images, draws = to_float(split.images(indices)), step_draws(recipe, step, index)
            augment(images, draws.data_views)
            loaded.append((images, draws))
        return loaded

    def learn(step: int, loaded: list[tuple[Tensor, Draws]]) -> None:
        for turn, (images, draws) in zip(turns, loaded, strict=True):
            for phase in turn:
                backward(phase, state.networks, images, draws, recipe.train.accumulation_steps, ranks, step)
                apply(phase, recipe.train.lr)

    times = []
    for step in range(REPEATS):
        loaded, loading = timed(load, step)
        _, learning = timed(learn, step, loaded)
        times.append([loading, learning])
    loads, learns = rates(times, count * len(turns))
    print(f"{'default model':<16} {'loaded':>10} {'learnt':>10} {'loaded / learnt':>18}")
    print(f"{f'{recipe.image.size} px':<16} {loads:>10.0f} {learns:>10.0f} {loads / learns:>18.1f}")


def main() -> None:
    torch.set_num_threads(1)
    print(f"images/s, medians of {REPEATS}, 1 thread")
    with tempfile.TemporaryDirectory() as directory:
        compare_crops(Path(directory))
        compare_with_training(Path(directory))


if __name__ == "__main__":
    main()
