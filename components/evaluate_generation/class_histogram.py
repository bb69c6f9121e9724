"""Which classes are generated, and how often, as the classifier tells them: a cheap sign of lost modes."""

import torch
from torch import Tensor


def class_histogram(logits: Tensor) -> Tensor:
    """The share of images that the classifier gives to each class: K numbers that sum to 1, float64."""
    classes = logits.argmax(1)
    return torch.bincount(classes, minlength=logits.shape[1]).double() / len(classes)


def total_variation(first: Tensor, second: Tensor) -> float:
    """Half the sum of absolute differences of two histograms: 0 for equal, 1 for disjoint."""
    return float((first - second).abs().sum() / 2)
