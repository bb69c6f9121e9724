"""The linear probe: multinomial logistic regression with an L2 penalty, fitted to convergence (section 4.1).

    minimise over W, b:   mean cross-entropy of softmax(W x + b)  +  penalty / 2 · ||W||²

The bias is not penalised. The penalty is chosen on the validation split; the chosen probe has seen train alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from components.evaluate_representation.lbfgs import minimise
from components.evaluate_representation.principal_axes import principal_axes
from components.evaluate_representation.rows import Rows, moments, rows_of
from components.evaluate_representation.views import View


@dataclass(frozen=True)
class Probe:
    """Weights K×F and bias K, float64; a class that train has not gets the bias -inf and is never predicted."""

    weights: Tensor
    bias: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Logits: N×F -> N×K, in the precision of the features."""
        return F.linear(features, self.weights.to(features.dtype), self.bias.to(features.dtype))


@dataclass(frozen=True)
class Grid:
    """A probe for each of P penalties, the largest first: weights P×K×F, bias P×K, whether its fit has converged.

    `passes` over the features were made to fit them all.
    """

    penalties: list[float]
    weights: Tensor
    bias: Tensor
    converged: list[bool]
    passes: int

    def probe(self, number: int) -> Probe:
        return Probe(self.weights[number], self.bias[number])

    def accuracies(self, features: Rows, labels: Tensor) -> list[float]:
        """The top-1 accuracy of each probe, all in one pass over the features."""
        probes = [self.probe(number) for number in range(len(self.penalties))]
        hits = [0] * len(probes)
        for part, chunk in features.chunks(numbers_a_row=self.weights.shape[1]):
            for number, probe in enumerate(probes):
                hits[number] += int(top_k_hits(probe.scores(chunk), labels[part], 1).sum())
        return [count / len(features) for count in hits]


@dataclass(frozen=True)
class Selection:
    """The probe that validation chose, and what it was chosen from: top-1 on validation by penalty."""

    probe: Probe
    penalty: float
    validation_top1: dict[float, float]
    unconverged: list[float]
    passes: int

    @property
    def at_edge(self) -> bool:
        """Whether the chosen penalty is the smallest or the largest of several: a better one may lie outside."""
        return len(self.validation_top1) > 1 and self.penalty in (min(self.validation_top1), max(self.validation_top1))


def precision(device: torch.device) -> torch.dtype:
    """What products are computed in: float64 on a CPU; float32 on a GPU, where float64 is many times slower."""
    return torch.float64 if device.type == "cpu" else torch.float32


def standardise(view: View) -> View:
    """Features with mean 0 and standard deviation 1 on train, in `precision`; what is constant on train becomes 0."""
    known = moments(view.train)
    scale = torch.where(known.constant, 0.0, 1.0 / known.variance.sqrt().masked_fill(known.constant, 1.0))
    dtype = precision(view.train.device)

    def change(features: Tensor) -> Tensor:
        return ((features.double() - known.mean) * scale).to(dtype)

    return view.then(change, view.train.width)


def select(
    features: Rows,
    labels: Tensor,
    validation_features: Rows,
    validation_labels: Tensor,
    penalties: Sequence[float],
    classes: int,
) -> Selection:
    """Fits one probe per penalty and keeps the best on validation; among equals, the one penalised most.

    Args:
        features, labels: N×F, standardised, and N int64: what the probe is fitted on.
        classes: K, also counting classes of which there is no image here.
    """
    grid = fit(features, labels, penalties, classes)
    accuracies = grid.accuracies(validation_features, validation_labels)
    best = accuracies.index(max(accuracies))  # the first of several: penalties fall
    return Selection(
        grid.probe(best),
        grid.penalties[best],
        dict(zip(grid.penalties, accuracies, strict=True)),
        [penalty for penalty, converged in zip(grid.penalties, grid.converged, strict=True) if not converged],
        grid.passes,
    )


def fit(features: Rows, labels: Tensor, penalties: Sequence[float], classes: int) -> Grid:
    """One probe for each penalty, all fitted in the same passes over the features."""
    present, targets = labels.unique(return_inverse=True)
    ordered = sorted(set(penalties), reverse=True)
    strengths = torch.tensor(ordered, dtype=torch.float64, device=labels.device)
    found = principal_axes(features)
    variances = torch.cat([found.variances, found.variances.new_ones(1)])
    # The bias is not penalised, so that features may be shifted: about their mean, it has nothing to do with the rest.
    if features.fits:
        coordinates = (features.all().double() - found.mean) @ found.axes
        inputs = rows_of(_with_one(coordinates.to(precision(features.device))))
        minima = minimise(inputs, targets, len(present), strengths, variances, None)
        slopes = minima.weights[..., :-1] @ found.axes.T
    else:
        inputs = features.then(lambda some: _with_one(some - found.mean.to(some.dtype)), features.width + 1)
        axes = torch.block_diag(found.axes, found.axes.new_ones(1, 1))
        minima = minimise(inputs, targets, len(present), strengths, variances, axes)
        slopes = minima.weights[..., :-1]
    intercepts = minima.weights[..., -1] - slopes @ found.mean
    weights = slopes.new_zeros(len(ordered), classes, slopes.shape[2])
    bias = slopes.new_full((len(ordered), classes), -torch.inf)
    weights[:, present] = slopes
    # Adding a constant to every bias changes no probability: of all the optima, the one whose mean is 0.
    bias[:, present] = intercepts - intercepts.mean(1, keepdim=True)
    return Grid(ordered, weights, bias, minima.converged, minima.passes)


def _with_one(features: Tensor) -> Tensor:
    return torch.cat([features, features.new_ones(len(features), 1)], dim=1)


def top_k_hits(scores: Tensor, labels: Tensor, k: int) -> Tensor:
    """Whether each row's label is among its k highest scores: N×K and N -> N, bool."""
    return (scores.topk(k).indices == labels[:, None]).any(1)
