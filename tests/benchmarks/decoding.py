"""How fast photographs become images of 128 px: our way on all cores against a plain Pillow loop in one process.

    python -m tests.benchmarks.decoding [IMAGES]

Writes synthetic photographs as JPEG, of 256×256 and of 500×375 px, and prints images/s: of the plain loop (open,
convert, crop, bicubic resize), of ours in one process (`decode`), and of ours on all cores, from the source to the
shards; then the ratios to the plain loop. The first two are interleaved and medians are taken, so that a noisy machine
disturbs both alike. The time of the third is that of decoding alone: processes are started before, with other images.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from components.artifacts import parameters
from components.prepare.decode import decode
from components.prepare.decode_all import Task, available_cores, decode_all
from components.prepare.shards import Shards
from components.prepare.sources.folder import Files

SIZE = 128
IMAGE = parameters.Image(size=SIZE, channels=3)
DIFFERENT = 64
REPEATS = 30
PART = 64


def photo(width: int, height: int, seed: int) -> Image.Image:
    """Noise with the spectrum of photographs (amplitude 1/f, little colour) and some hard edges."""
    rng = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    amplitude = np.hypot(rows, columns)
    amplitude[0, 0] = np.inf

    def field() -> np.ndarray:
        noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) / amplitude, s=(height, width))
        return noise / noise.std()

    light, blue, red = 120 + 50 * field(), 12 * field(), 12 * field()
    pixels = np.stack([light + 1.4 * red, light - 0.34 * blue - 0.71 * red, light + 1.77 * blue], -1)
    for _ in range(4):
        top, left = rng.integers(0, height), rng.integers(0, width)
        pixels[top : top + height // 5, left : left + width // 5] = rng.integers(0, 256, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def write_photos(folder: Path, width: int, height: int) -> list[str]:
    folder.mkdir()
    for seed in range(DIFFERENT):
        photo(width, height, seed).save(folder / f"{seed:02d}.jpg", quality=88)
    return [str(path) for path in sorted(folder.iterdir())]


def plain(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.convert("RGB").crop((left, top, left + side, top + side))
        return np.asarray(square.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def ours(path: str) -> np.ndarray:
    pixels = decode(Path(path).read_bytes(), IMAGE).pixels
    assert pixels is not None
    return pixels


def rates_of_one_process(paths: list[str]) -> tuple[float, float]:
    """Images/s of the plain loop and of ours, taken image by image in turn."""
    for path in paths[:8]:
        difference = np.abs(plain(path).astype(int) - ours(path))
        assert difference.max() <= 1, "ours is not what the plain loop gives"
    times: list[list[float]] = [[], []]
    for repeat in range(REPEATS):
        for way, function in enumerate((plain, ours)):
            started = time.perf_counter()
            for path in paths[repeat % 4 :: 4]:
                function(path)
            times[way].append((time.perf_counter() - started) / len(paths[repeat % 4 :: 4]))
    first, second = (1 / statistics.median(column) for column in times)
    return first, second


def rate_of_all_cores(paths: list[str], images: int, folder: Path) -> float:
    """Images/s from files to shards, counted from the moment when every process has done its first part."""
    shards = {"train": Shards(folder, (SIZE, SIZE, 3), images, 16384)}
    shards["train"].make_room()

    def tasks() -> Iterator[Task]:
        for start in range(0, images, PART):
            indices = list(range(start, min(start + PART, images)))
            chosen = [paths[index % len(paths)] for index in indices]
            yield Task(Files(chosen), indices, [("train", index) for index in indices])

    done = decode_all(tasks(), IMAGE, shards, available_cores())
    for part in islice(done, 2 * available_cores()):
        assert not part.rejected
    started = time.perf_counter()
    left = sum(len(part.records) for part in done)
    return left / (time.perf_counter() - started)


def main() -> None:
    torch.set_num_threads(1)
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 8192
    cores = available_cores()
    print(f"images/s of JPEG to {SIZE} px; {cores} cores")
    head = ("source", "Pillow", "ours, 1 core", "ratio", "ours, all", "ratio")
    print("{:<12}{:>10}{:>14}{:>8}{:>12}{:>8}".format(*head))
    with tempfile.TemporaryDirectory() as directory:
        for width, height in ((256, 256), (500, 375)):
            paths = write_photos(Path(directory) / f"{width}", width, height)
            slow, fast = rates_of_one_process(paths)
            every = rate_of_all_cores(paths, images, Path(directory) / f"shards-{width}")
            ratios = f"{slow:>10.0f}{fast:>14.0f}{fast / slow:>8.2f}{every:>12.0f}{every / slow:>8.2f}"
            print(f"{f'{width}×{height}':<12}{ratios}")


if __name__ == "__main__":
    main()
