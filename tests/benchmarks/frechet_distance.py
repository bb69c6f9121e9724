"""How much faster the Fréchet distance is than by the usual ways, at equal values, in one run.

    python -m tests.benchmarks.frechet_distance [features] [repeats]

For statistics of 2,048 correlated and skewed features, as of Inception, in float64: seconds of `frechet_distance`; of
scipy's matrix square root (as in pytorch-fid and clean-fid); and of the eigenvalues of the product of both covariances
(as in torchmetrics). Prints how many times as fast ours is, and how far the values lie apart. They are interleaved and
medians are taken, so that a noisy machine disturbs all alike.
"""

import statistics
import sys
import time

import numpy as np
import scipy.linalg
import torch

from components.measures.frechet_distance import Moments, frechet_distance, moments


def features(count: int, size: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=generator) / size**0.5
    return (torch.randn(count, size, generator=generator) @ mixing).relu()


def by_square_root(first: Moments, second: Moments) -> float:
    one, two = first.covariance.numpy(), second.covariance.numpy()
    root = scipy.linalg.sqrtm(one @ two)
    between_means = (first.mean - second.mean).square().sum()
    return float(between_means + np.trace(one) + np.trace(two) - 2 * np.trace(root).real)


def by_eigenvalues(first: Moments, second: Moments) -> float:
    eigenvalues = torch.linalg.eigvals(first.covariance @ second.covariance)
    between_means = (first.mean - second.mean).square().sum()
    traces = first.covariance.trace() + second.covariance.trace()
    return float(between_means + traces - 2 * eigenvalues.sqrt().real.sum())


WAYS = {
    "ours": frechet_distance,
    "matrix square root (scipy)": by_square_root,
    "eigenvalues of the product": by_eigenvalues,
}


def main(size: int = 2048, repeats: int = 3) -> None:
    first, second = moments(features(2 * size, size, 0)), moments(features(2 * size, size, 1) * 1.1)
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    values = {}
    for _ in range(repeats):
        for name, way in WAYS.items():
            started = time.perf_counter()
            values[name] = way(first, second)
            times[name].append(time.perf_counter() - started)
    ours = statistics.median(times["ours"])
    print(f"{size} features, medians of {repeats}, {torch.get_num_threads()} threads; ours {ours:.2f} s")
    for name in list(WAYS)[1:]:
        theirs, difference = statistics.median(times[name]), abs(values["ours"] / values[name] - 1)
        print(f"{name:<28}{theirs:8.2f} s   {theirs / ours:5.1f} times as slow, relative difference {difference:.1e}")
        assert difference < 1e-6, "the values must be the same"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
