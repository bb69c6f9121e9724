"""How certain a Fréchet distance is, and what it would be for infinitely many samples. The reference is taken as fixed.

Both are made of the same few groups of samples, whose moments are joined in different ways.
"""

import math

import numpy as np
from torch import Tensor
from tqdm import tqdm

from components.measures.frechet_distance import Moments, frechet_distance
from components.measures.running_moments import RunningMoments


def grouped(features: Tensor, groups: int) -> list[RunningMoments]:
    """The moments of `groups` consecutive parts of features N×D in random order; parts differ by one image at most."""
    parts = []
    for part in features.tensor_split(groups):
        parts.append(RunningMoments(features.shape[1], features.device))
        parts[-1].add(part)
    return parts


def standard_error(groups: list[RunningMoments], reference: Moments) -> float:
    """Of the distance of all samples: the delete-a-group jackknife (Efron & Tibshirani 1993, chapter 11).

    Each group must be small enough for the others together to have more images than features.
    """
    turns = tqdm(range(len(groups)), desc="standard error", unit="group", leave=False)
    left_out = [_distance(groups[:n] + groups[n + 1 :], reference) for n in turns]
    return math.sqrt((len(groups) - 1) * float(np.var(left_out)))


def extrapolated(groups: list[RunningMoments], reference: Moments) -> float:
    """FID∞ (Chong & Forsyth 2020, section 4): the distance is nearly linear in 1/N, and this is its value at 1/N = 0.

    The line is fitted to the mean distance of all sets of n groups together, for each n of `sizes_of_sets`. Each point
    is made of all samples, so that they share their noise, and the slope has little.

    Raises: ValueError, if there are fewer than three points.
    """
    samples = sum(group.count for group in groups)
    sizes = sizes_of_sets(len(groups), samples, len(reference.mean))
    if len(sizes) < 3:
        raise ValueError(f"a line through {len(sizes)} points tells nothing")
    distances = []
    for n in tqdm(sizes, desc="extrapolation", unit="count", leave=False):
        sets = [groups[start : start + n] for start in range(0, len(groups), n)]
        distances.append(np.mean([_distance(one, reference) for one in sets]))
    _, intercept = np.polyfit([len(groups) / (n * samples) for n in sizes], distances, 1)
    return float(intercept)


def sizes_of_sets(groups: int, samples: int, features: int) -> list[int]:
    """Into sets of how many groups all can be taken, so that a set has twice as many samples as features or more."""
    return [n for n in range(1, groups + 1) if groups % n == 0 and n * samples >= 2 * features * groups]


def _distance(groups: list[RunningMoments], reference: Moments) -> float:
    whole = RunningMoments(len(reference.mean), reference.mean.device)
    for group in groups:
        whole.join(group)
    return frechet_distance(reference, whole.result())
