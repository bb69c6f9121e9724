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

    The line is fitted to the distances of 1, 2, … and all groups together, as far as these have twice as many images as
    features; each is the mean over as many disjoint sets of groups as there are, so that all points share their noise
    and the slope has little. Raises: ValueError, if there are fewer than three points.
    """
    size = sum(group.count for group in groups) / len(groups)
    used = [n for n in range(1, len(groups) + 1) if n * size >= 2 * len(reference.mean)]
    if len(used) < 3:
        raise ValueError(f"a line through {len(used)} points tells nothing")
    distances = []
    for n in tqdm(used, desc="extrapolation", unit="count", leave=False):
        starts = range(0, len(groups) - n + 1, n)
        distances.append(np.mean([_distance(groups[start : start + n], reference) for start in starts]))
    _, intercept = np.polyfit([1 / (n * size) for n in used], distances, 1)
    return float(intercept)


def _distance(groups: list[RunningMoments], reference: Moments) -> float:
    whole = RunningMoments(len(reference.mean), reference.mean.device)
    for group in groups:
        whole.join(group)
    return frechet_distance(reference, whole.result())
