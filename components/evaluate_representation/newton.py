"""Softmax regression by Newton's method with conjugate gradients, in float64 (Nocedal & Wright 2006, algorithm 7.1).

The classes of good features are nearly separable, and small penalties then leave a minimum so flat that a first-order
or quasi-Newton method stops far from it, at a place that depends on where it began. A Newton step does not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# A step is the last if the model of the objective promised less than this fraction of it. As Newton's method squares
# its error, the objective is then within about 1e-5 of its minimum, relatively.
LAST_STEP = 1e-4
MAXIMUM_STEPS = 100
_MAXIMUM_CONJUGATE_GRADIENTS = 200
_MAXIMUM_HALVINGS = 30


@dataclass(frozen=True)
class _Point:
    """The objective at some weights: value, gradient K×F, probabilities N×K."""

    value: Tensor
    gradient: Tensor
    probabilities: Tensor


def minimise(inputs: Tensor, targets: Tensor, start: Tensor, penalties: Tensor) -> tuple[Tensor, bool]:
    """Minimises mean cross-entropy(softmax(W x)) + sum of penalties · W² / 2 over W.

    Args:
        inputs: x, N×F, float64.
        targets: class numbers in [0, K), N.
        start: W to begin with, K×F.
        penalties: one for each input, F, 0 or more.

    Returns:
        W, and whether it is the minimum.
    """
    # Float32 is enough for the direction and four times as fast; where the minimum is, gradients in float64 say.
    squares, rough = inputs.square(), inputs.float()
    weights, here = start, _evaluate(inputs, targets, start, penalties)
    for _ in range(MAXIMUM_STEPS):
        variances = here.probabilities * (1 - here.probabilities)
        diagonal = (variances.T @ squares / len(inputs) + penalties).clamp_min(1e-12)
        direction = _direction(rough, here, penalties, diagonal)
        promised = -(here.gradient * direction).sum() / 2
        moved = _search(inputs, targets, weights, direction, here, penalties)
        if moved is None:
            return weights, bool(promised <= 1e-12 * here.value)
        weights, here = moved
        if promised <= LAST_STEP * here.value:
            return weights, True
    return weights, False


def _evaluate(inputs: Tensor, targets: Tensor, weights: Tensor, penalties: Tensor) -> _Point:
    # In this order, and transposed, each product reads `inputs` as it lies in memory: twice as fast.
    log_probabilities = (weights @ inputs.T).T.log_softmax(1)
    entropy = -log_probabilities.gather(1, targets[:, None]).mean()
    probabilities = log_probabilities.exp()
    residuals = probabilities.scatter_add(1, targets[:, None], -torch.ones_like(probabilities[:, :1]))
    gradient = residuals.T @ inputs / len(inputs) + penalties * weights
    return _Point(entropy + (penalties * weights.square()).sum() / 2, gradient, probabilities)


def _direction(rough: Tensor, here: _Point, penalties: Tensor, diagonal: Tensor) -> Tensor:
    """-H⁻¹ g, by conjugate gradients preconditioned with H's diagonal; the nearer the minimum, the more exactly."""
    solution, probabilities = torch.zeros_like(here.gradient), here.probabilities.float()
    residual = -here.gradient
    search = residual / diagonal
    size = first = (residual * search).sum()
    enough = (first / here.value).clamp_max(0.25**2) * first
    for _ in range(_MAXIMUM_CONJUGATE_GRADIENTS):
        if size <= enough:
            break
        curved = _cross_entropy_hessian(rough, probabilities, search.float()).double() + penalties * search
        length = size / (search * curved).sum()
        solution = solution + length * search
        residual = residual - length * curved
        scaled = residual / diagonal
        previous, size = size, (residual * scaled).sum()
        search = scaled + size / previous * search
    return solution


def _cross_entropy_hessian(inputs: Tensor, probabilities: Tensor, vector: Tensor) -> Tensor:
    """The product of the Hessian of mean cross-entropy with a vector, K×F."""
    weighted = probabilities * (vector @ inputs.T).T
    change = weighted - probabilities * weighted.sum(1, keepdim=True)
    return change.T @ inputs / len(inputs)


def _search(
    inputs: Tensor, targets: Tensor, weights: Tensor, direction: Tensor, here: _Point, penalties: Tensor
) -> tuple[Tensor, _Point] | None:
    """The full step, halved until the objective falls enough (Armijo); None if it never does."""
    slope = (here.gradient * direction).sum()
    length = 1.0
    for _ in range(_MAXIMUM_HALVINGS):
        candidate = weights + length * direction
        there = _evaluate(inputs, targets, candidate, penalties)
        if there.value < here.value + 1e-4 * length * slope:
            return candidate, there
        length /= 2
    return None
