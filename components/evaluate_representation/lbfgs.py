"""Softmax regression for several penalties at once, by L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5).

Each penalty is a problem of its own, and all share every pass over the features: a chunk is read once, and one matrix
product gives the scores of all of them. What has converged takes no further part.

The first inverse Hessian of class k is (v M + penalty)^-3/4, up to a factor, with M the second moments of the features,
one decomposition for all problems, and v the mean of p (1 - p), p the probability of k. With the power -1 this would be
the Hessian's inverse, were p (1 - p) the same for all images; as it is not, -3/4 takes fewer passes by measurement. So
correlated features cost few passes. Newton's method with conjugate gradients takes several times as many; starting at
the minimum for half of the images saves none.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from components.evaluate_representation.rows import Rows

# A step is not taken any more if it promises less than this fraction of the objective. What was then missing to the
# minimum was at most thirty times as much.
LAST_STEP = 1e-6
MAXIMUM_PASSES = 2000
_HISTORY = 10
_POWER = 0.75
_MAXIMUM_HALVINGS = 30
_SECONDS_WITHOUT_BAR = 5


@dataclass(frozen=True)
class Minima:
    """Weights P×K×F, float64, for each penalty; whether each is the minimum; and the passes over the inputs."""

    weights: Tensor
    converged: list[bool]
    passes: int


@dataclass(frozen=True)
class _Points:
    """Where Q problems stand: weights and gradients Q×K×F, values Q, float64, and spreads Q×K, the v of each class."""

    weights: Tensor
    values: Tensor
    gradients: Tensor
    spreads: Tensor

    def of(self, which: Tensor) -> "_Points":
        return _Points(self.weights[which], self.values[which], self.gradients[which], self.spreads[which])

    def replaced(self, which: Tensor, others: "_Points") -> "_Points":
        """With others at the positions `which`, which rise."""
        if len(which) == len(self.values):
            return others
        mine = (self.weights, self.values, self.gradients, self.spreads)
        theirs = (others.weights, others.values, others.gradients, others.spreads)
        return _Points(*(old.index_copy(0, which, new) for old, new in zip(mine, theirs, strict=True)))


@dataclass(frozen=True)
class _Move:
    """A step of Q problems and how it changed the gradients, Q×K×F; and the inner product of both, Q."""

    step: Tensor
    change: Tensor
    curvature: Tensor

    @classmethod
    def between(cls, here: _Points, there: _Points) -> "_Move":
        step, change = there.weights - here.weights, there.gradients - here.gradients
        return cls(step, change, _dot(step, change))

    def of(self, which: Tensor) -> "_Move":
        return _Move(self.step[which], self.change[which], self.curvature[which])


def minimise(
    inputs: Rows, targets: Tensor, classes: int, penalties: Tensor, variances: Tensor, axes: Tensor | None
) -> Minima:
    """For each penalty, minimises mean cross-entropy(softmax(W x)) + penalty / 2 · ||W||², W's last column left out.

    Args:
        inputs: x, N×F, the last of which is 1, in the precision to compute in; sums over images are float64.
        targets: class numbers in [0, K), N.
        classes: K.
        penalties: P, float64, more than 0.
        variances, axes: of x, F and F×F, each column of which is an axis; None if x is on its own axes.
    """
    objective = _Objective(inputs, targets, classes, penalties)
    problems = torch.arange(len(penalties), device=inputs.device)
    converged = torch.zeros_like(problems, dtype=torch.bool)
    solution = inputs.read(slice(0, 1)).new_zeros(len(penalties), classes, inputs.width)
    preconditioner = _Preconditioner(variances, None if axes is None else axes.to(solution.dtype))
    here = objective(solution.clone(), problems)
    history: list[_Move] = []
    with tqdm(desc="passes over train", unit="pass", leave=False, delay=_SECONDS_WITHOUT_BAR) as bar:
        while len(problems) and objective.passes < MAXIMUM_PASSES:
            direction = _direction(here, history, penalties[problems], preconditioner)
            slopes = _dot(here.gradients, direction)
            converged[problems] = -slopes / 2 <= LAST_STEP * here.values
            there, moved = _search(objective, problems, here, direction, slopes, ~converged[problems])
            solution[problems] = there.weights
            history = [*history[1 - _HISTORY :], _Move.between(here, there)]
            here = there
            if not moved.all():
                # What has not moved has converged, or rounding hides the rest of its way.
                history = [move.of(moved) for move in history]
                here, problems = here.of(moved), problems[moved]
            bar.update(objective.passes - bar.n)
    return Minima(solution.double(), converged.tolist(), objective.passes)


class _Objective:
    """Weights Q×K×F of some of the problems -> where they stand; each call is one pass over the inputs."""

    def __init__(self, inputs: Rows, targets: Tensor, classes: int, penalties: Tensor) -> None:
        self.inputs, self.targets, self.classes, self.penalties = inputs, targets, classes, penalties
        self.passes = 0

    def __call__(self, weights: Tensor, problems: Tensor) -> _Points:
        count, images = len(problems), len(self.inputs)
        stacked = weights.flatten(0, 1)
        values = self.penalties.new_zeros(count)
        gradients = self.penalties.new_zeros(stacked.shape)
        spreads = self.penalties.new_zeros(count, self.classes)
        for part, chunk in self.inputs.chunks(numbers_a_row=len(stacked)):
            # In this order both products read the chunk as it lies in memory.
            logs = (stacked @ chunk.T).view(count, self.classes, len(chunk)).log_softmax(1)
            own = self.targets[part].expand(count, 1, -1)
            values -= logs.gather(1, own).sum((1, 2), dtype=torch.float64)
            probabilities = logs.exp_()
            spreads += (probabilities * (1 - probabilities)).sum(2, dtype=torch.float64)
            residuals = probabilities.scatter_add_(1, own, -torch.ones_like(probabilities[:, :1]))
            gradients += residuals.flatten(0, 1) @ chunk
        self.passes += 1
        penalised = weights * self.penalties[problems, None, None].to(weights.dtype)
        penalised[..., -1] = 0
        gradient = (gradients.view(weights.shape) / images).to(weights.dtype) + penalised
        return _Points(weights, values / images + _dot(weights, penalised) / 2, gradient, spreads / images)


@dataclass(frozen=True)
class _Preconditioner:
    """The first inverse Hessian of each class, up to a factor."""

    variances: Tensor
    axes: Tensor | None

    def __call__(self, vectors: Tensor, spreads: Tensor, penalties: Tensor) -> Tensor:
        """Q×K×F, Q×K and Q -> Q×K×F."""
        curvatures = spreads[..., None] * self.variances + penalties[:, None, None]
        factors = curvatures.pow(-_POWER).to(vectors.dtype)
        return vectors * factors if self.axes is None else (vectors @ self.axes * factors) @ self.axes.T


def _direction(here: _Points, history: list[_Move], penalties: Tensor, preconditioner: _Preconditioner) -> Tensor:
    """Algorithm 7.4: minus the inverse Hessian that the last steps tell, times the gradient."""
    vector, alphas = here.gradients, []
    for move in reversed(history):
        alphas.append(_dot(move.step, vector) / move.curvature)
        vector = vector - _times(alphas[-1], move.change)
    vector = preconditioner(vector, here.spreads, penalties)
    if history:
        last = history[-1]
        scale = last.curvature / _dot(last.change, preconditioner(last.change, here.spreads, penalties))
        vector = _times(scale, vector)
    for move, alpha in zip(history, reversed(alphas), strict=True):
        vector = vector + _times(alpha - _dot(move.change, vector) / move.curvature, move.step)
    return -vector


def _search(
    objective: _Objective, problems: Tensor, here: _Points, direction: Tensor, slopes: Tensor, wanted: Tensor
) -> tuple[_Points, Tensor]:
    """The full step of each problem that is wanted, halved until its objective falls enough (Armijo).

    Returns:
        Where all stand then, and whether each has moved.
    """
    there, waiting, length = here, wanted.nonzero().flatten(), 1.0
    for _ in range(_MAXIMUM_HALVINGS):
        if not len(waiting):
            break
        tried = objective(here.weights[waiting] + length * direction[waiting], problems[waiting])
        enough = tried.values < here.values[waiting] + 1e-4 * length * slopes[waiting]
        there = there.replaced(waiting[enough], tried.of(enough))
        waiting = waiting[~enough]
        length /= 2
    moved = wanted.clone()
    moved[waiting] = False
    return there, moved


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Q×K×F twice -> Q, float64."""
    return (a * b).sum((1, 2), dtype=torch.float64)


def _times(factors: Tensor, vectors: Tensor) -> Tensor:
    return factors[:, None, None].to(vectors.dtype) * vectors
