"""The linear probe: multinomial logistic regression with an L2 penalty, fitted to convergence (section 4.1).

    minimise over W, b:   mean cross-entropy of softmax(W x + b)  +  penalty / 2 · ||W||²

The bias is not penalised. The penalty is chosen on the validation split; the chosen probe has seen train alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from components.evaluate_representation.features import View
from components.evaluate_representation.newton import minimise


@dataclass(frozen=True)
class Probe:
    """Weights K×F and bias K, float64; a class that train has not gets the bias -inf and is never predicted."""

    weights: Tensor
    bias: Tensor
    converged: bool

    def scores(self, features: Tensor) -> Tensor:
        """Logits: N×F -> N×K."""
        return F.linear(features, self.weights, self.bias)


@dataclass(frozen=True)
class Selection:
    """The probe that validation chose, and what it was chosen from: top-1 on validation by penalty."""

    probe: Probe
    penalty: float
    validation_top1: dict[float, float]
    unconverged: list[float]

    @property
    def at_edge(self) -> bool:
        """Whether the chosen penalty is the smallest or the largest of several: a better one may lie outside."""
        return len(self.validation_top1) > 1 and self.penalty in (min(self.validation_top1), max(self.validation_top1))


def standardise(view: View) -> View:
    """Float64 features with mean 0 and standard deviation 1 on train; what is constant on train becomes 0."""
    train = view.train.double()
    mean, deviation = train.mean(0), train.std(0, correction=0)
    constant = train.amax(0) == train.amin(0)
    scale = torch.where(constant, 0.0, 1.0 / deviation.masked_fill(constant, 1.0))
    return View(*((part.double() - mean) * scale for part in (view.train, view.validation, view.test)))


def select(
    features: Tensor,
    labels: Tensor,
    validation_features: Tensor,
    validation_labels: Tensor,
    penalties: Sequence[float],
    classes: int,
) -> Selection:
    """Fits one probe per penalty and keeps the best on validation; among equals, the one penalised most.

    Args:
        features, labels: N×F float64, standardised, and N int64: what the probe is fitted on.
        classes: K, also counting classes of which there is no image here.
    """
    validation_top1: dict[float, float] = {}
    unconverged = []
    for penalty, probe in fit_path(features, labels, penalties, classes):
        accuracy = top_k_accuracy(probe.scores(validation_features), validation_labels, 1)
        if not validation_top1 or accuracy > max(validation_top1.values()):
            best, best_penalty = probe, penalty
        validation_top1[penalty] = accuracy
        if not probe.converged:
            unconverged.append(penalty)
    return Selection(best, best_penalty, validation_top1, unconverged)


def fit_path(
    features: Tensor, labels: Tensor, penalties: Sequence[float], classes: int
) -> Iterator[tuple[float, Probe]]:
    """Yields (penalty, probe) from the largest penalty down; each fit starts at the one before."""
    present, targets = labels.unique(return_inverse=True)
    # The optimum lies in the span of the features, and a rotation changes neither the scores nor ||W||: so we work on
    # the principal axes. Few labels mean few axes, and along them the diagonal of the Hessian says most about it.
    left, singular, axes = torch.linalg.svd(features, full_matrices=False)
    kept = singular > singular.amax() * 1e-10
    rotated = left[:, kept] * singular[kept]
    inputs = torch.cat([rotated, rotated.new_ones(len(rotated), 1)], dim=1)
    weights = inputs.new_zeros(len(present), inputs.shape[1])
    for penalty in sorted(set(penalties), reverse=True):
        each = inputs.new_full((inputs.shape[1],), penalty)
        each[-1] = 0.0
        weights, converged = minimise(inputs, targets, weights, each)
        full_weights = features.new_zeros(classes, features.shape[1])
        full_bias = features.new_full((classes,), -torch.inf)
        full_weights[present] = weights[:, :-1] @ axes[kept]
        # Adding a constant to every bias changes no probability: of all the optima, the one whose mean is 0.
        full_bias[present] = weights[:, -1] - weights[:, -1].mean()
        yield penalty, Probe(full_weights, full_bias, converged)


def top_k_accuracy(scores: Tensor, labels: Tensor, k: int) -> float:
    """The fraction of rows, in [0, 1], whose label is among the k highest scores: N×K and N."""
    return (scores.topk(k).indices == labels[:, None]).any(1).double().mean().item()
