import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from components.evaluate_representation import lbfgs
from components.evaluate_representation import probe as probe_module
from components.evaluate_representation import rows as rows_module
from components.evaluate_representation.probe import Probe, Selection, fit, select, standardise, top_k_hits
from components.evaluate_representation.rows import rows_of
from tests.unit.evaluate_representation.alone import view_of


def blobs(images: int, features: int, classes: int, seed: int = 0, distance: float = 1.0) -> tuple[Tensor, Tensor]:
    """Overlapping Gaussian classes, every feature of another scale."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, images)
    centres = np.random.default_rng(99).normal(size=(classes, features)) * distance
    points = (centres[labels] + generator.normal(size=(images, features))) * np.linspace(0.3, 3, features)
    return torch.tensor(points), torch.tensor(labels)


def accuracy(scores: Tensor, labels: Tensor, k: int) -> float:
    return top_k_hits(scores, labels, k).double().mean().item()


def choose(
    x: Tensor, y: Tensor, validation_x: Tensor, validation_y: Tensor, penalties: list[float], classes: int
) -> Selection:
    return select(rows_of(x), y, rows_of(validation_x), validation_y, penalties, classes)


@pytest.mark.parametrize("penalty", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize(
    ("images", "features", "classes"), [(300, 12, 5), (120, 6, 2), (30, 80, 4)], ids=["many", "binary", "few_labels"]
)
@pytest.mark.parametrize(
    ("last_step", "tolerance", "of_weights"),
    [(lbfgs.LAST_STEP, 2e-3, 1e-2), (1e-13, 1e-5, 2e-5)],
    ids=["as_used", "exact"],
)
def test_agrees_with_scikit_learn(
    images: int,
    features: int,
    classes: int,
    penalty: float,
    last_step: float,
    tolerance: float,
    of_weights: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lbfgs, "LAST_STEP", last_step)
    x, y = blobs(images, features, classes)
    # For two classes scikit-learn fits one vector w; softmax has two, w / 2 and -w / 2, with half the squared norm.
    strength = 1 / (penalty * images) * (2 if classes == 2 else 1)
    theirs = LogisticRegression(C=strength, tol=1e-10, max_iter=50_000, solver="newton-cg")
    theirs.fit(x.numpy(), y.numpy())
    grid = fit(rows_of(x), y, [penalty], classes)
    ours = grid.probe(0)
    assert grid.converged == [True]
    np.testing.assert_allclose(ours.scores(x).softmax(1), theirs.predict_proba(x.numpy()), atol=tolerance)
    weights, bias = theirs.coef_, theirs.intercept_
    if classes == 2:
        weights, bias = np.stack([-weights[0], weights[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    np.testing.assert_allclose(ours.weights, weights, atol=of_weights * np.abs(weights).max())
    np.testing.assert_allclose(ours.bias, bias - bias.mean(), atol=of_weights * np.abs(bias).max())


def test_at_the_minimum_the_gradient_of_the_documented_objective_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lbfgs, "LAST_STEP", 1e-12)
    x, y = blobs(200, 8, 3)
    penalty, probe = 0.01, fit(rows_of(x), y, [0.01], 3).probe(0)
    weights, bias = probe.weights.clone().requires_grad_(), probe.bias.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(x @ weights.T + bias, y) + penalty / 2 * weights.square().sum()
    loss.backward()
    assert weights.grad is not None
    assert bias.grad is not None
    assert weights.grad.abs().max() < 2e-5
    assert bias.grad.abs().max() < 2e-5


def test_the_grid_gives_the_same_probes_as_single_fits_in_any_order() -> None:
    x, y = blobs(150, 10, 4)
    grid = fit(rows_of(x), y, [1e-2, 1.0, 1e-1, 1.0], 4)
    assert grid.penalties == [1.0, 1e-1, 1e-2]
    for number, penalty in enumerate(grid.penalties):
        alone = fit(rows_of(x), y, [penalty], 4)
        torch.testing.assert_close(grid.weights[number], alone.weights[0], atol=1e-2, rtol=1e-2)


def test_all_penalties_share_the_passes_over_the_features() -> None:
    x, y = blobs(150, 10, 4)
    penalties = [1e-2, 1.0, 1e-1]
    together, alone = fit(rows_of(x), y, penalties, 4), [fit(rows_of(x), y, [one], 4) for one in penalties]
    assert together.passes < sum(grid.passes for grid in alone)
    assert together.passes == pytest.approx(max(grid.passes for grid in alone), rel=0.3)


@pytest.mark.parametrize("shape", [(150, 10, 4), (30, 40, 3)], ids=["many", "few_images"])
def test_features_that_do_not_fit_into_memory_give_the_same_probes_chunk_by_chunk(
    shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lbfgs, "LAST_STEP", 1e-12)
    x, y = blobs(*shape)
    read: list[int] = []

    def note(chunk: Tensor) -> Tensor:
        read.append(len(chunk))
        return chunk

    features = rows_of(x + 3.0).then(note, x.shape[1])
    held = fit(features, y, [1e-2, 1.0], shape[2])
    assert max(read) == len(x)
    monkeypatch.setattr(rows_module, "_BYTES_ON_CPU", 0)
    monkeypatch.setattr(rows_module, "NUMBERS_AT_ONCE", 20 * x.shape[1])
    read.clear()
    streamed = fit(features, y, [1e-2, 1.0], shape[2])
    assert max(read) <= 20
    torch.testing.assert_close(streamed.weights, held.weights, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(streamed.bias, held.bias, atol=1e-3, rtol=1e-3)


def test_in_the_precision_of_a_gpu_the_probes_are_the_same_within_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = blobs(300, 12, 5)
    penalties = [1e-4, 1e-2, 1.0]
    exact = fit(rows_of(x), y, penalties, 5)
    monkeypatch.setattr(probe_module, "precision", lambda device: torch.float32)
    rough = fit(rows_of(x.float()), y, penalties, 5)
    assert rough.converged == [True] * 3
    for number in range(3):
        ours, theirs = (grid.probe(number).scores(x).softmax(1) for grid in (rough, exact))
        torch.testing.assert_close(ours, theirs, atol=5e-3, rtol=0)


def test_a_fit_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lbfgs, "MAXIMUM_PASSES", 2)
    x, y = blobs(100, 10, 3)
    selection = select(rows_of(x), y, rows_of(x), y, [1e-4], 3)
    assert selection.unconverged == [1e-4]


def test_a_class_without_train_images_is_never_predicted() -> None:
    x, y = blobs(90, 5, 3)
    y = y * 2  # classes 0, 2, 4 of 5
    probe = fit(rows_of(x), y, [0.1], 5).probe(0)
    scores = probe.scores(x)
    assert torch.isneginf(scores[:, [1, 3]]).all()
    assert torch.isfinite(scores[:, [0, 2, 4]]).all()
    assert accuracy(scores, torch.full_like(y, 3), 1) == 0.0


def test_perfect_features_give_one_and_noise_gives_chance() -> None:
    labels = torch.arange(400) % 4
    perfect = torch.nn.functional.one_hot(labels).double()
    noise = torch.tensor(np.random.default_rng(1).normal(size=(400, 4)))
    penalties = [1e-3, 1e-1]
    best = choose(perfect[:200], labels[:200], perfect[200:300], labels[200:300], penalties, 4)
    assert accuracy(best.probe.scores(perfect[300:]), labels[300:], 1) == 1.0
    chance = choose(noise[:200], labels[:200], noise[200:300], labels[200:300], penalties, 4)
    assert 0.1 < accuracy(chance.probe.scores(noise[300:]), labels[300:], 1) < 0.4


def test_constant_features_give_chance_and_not_a_perfect_score() -> None:
    labels = torch.arange(40) % 4
    constant = view_of(*(torch.full((40, 3), 7.0),) * 3)
    standard = standardise(constant)
    selection = select(standard.train, labels, standard.validation, labels, [0.1], 4)
    assert accuracy(selection.probe.scores(standard.test.all()), labels, 1) == 0.25


def test_selection_takes_what_is_best_on_validation() -> None:
    x, y = blobs(60, 40, 3, distance=0.25)
    validation_x, validation_y = blobs(300, 40, 3, seed=1, distance=0.25)
    selection = choose(x, y, validation_x, validation_y, [1e-5, 1e-1, 10.0], 3)
    for penalty, share in selection.validation_top1.items():
        probe = fit(rows_of(x), y, [penalty], 3).probe(0)
        assert accuracy(probe.scores(validation_x), validation_y, 1) == share
    assert selection.validation_top1[selection.penalty] == max(selection.validation_top1.values())
    assert len(set(selection.validation_top1.values())) > 1


def test_among_equals_the_largest_penalty_is_selected() -> None:
    y = torch.arange(30) % 3
    x = torch.nn.functional.one_hot(y).double()
    assert choose(x, y, x, y, [1e-4, 1e-2, 1e-3], 3).penalty == 1e-2


@pytest.mark.parametrize(
    ("penalties", "chosen", "at_edge"),
    [([1, 2, 3], 1, True), ([1, 2, 3], 3, True), ([1, 2, 3], 2, False), ([2], 2, False)],
)
def test_a_penalty_at_the_edge_of_the_grid_is_known(penalties: list[float], chosen: float, at_edge: bool) -> None:
    probe = Probe(torch.zeros(2, 2), torch.zeros(2))
    assert Selection(probe, chosen, dict.fromkeys(penalties, 0.5), [], 1).at_edge is at_edge


def test_standardise_uses_the_moments_of_train_only_and_zeroes_what_is_constant_there() -> None:
    train = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    other = torch.tensor([[2.0, 6.0], [7.0, 5.0]])
    view = standardise(view_of(train, other, other + 1))
    torch.testing.assert_close(view.train.all(), torch.tensor([[-1.0, 0.0], [1.0, 0.0]]).double())
    torch.testing.assert_close(view.validation.all(), torch.tensor([[0.0, 0.0], [5.0, 0.0]]).double())
    torch.testing.assert_close(view.test.all(), torch.tensor([[1.0, 0.0], [6.0, 0.0]]).double())


@pytest.mark.parametrize(("k", "expected"), [(1, 0.25), (2, 0.5), (3, 0.75)])
def test_top_k_hits(k: int, expected: float) -> None:
    scores = torch.tensor([[3.0, 2.0, 1.0, 0.0]] * 4)
    assert accuracy(scores, torch.tensor([0, 1, 2, 3]), k) == expected
