import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from components.evaluate_representation import newton
from components.evaluate_representation.features import View
from components.evaluate_representation.probe import Selection, fit_path, select, standardise, top_k_accuracy


def blobs(images: int, features: int, classes: int, seed: int = 0, distance: float = 1.0) -> tuple[Tensor, Tensor]:
    """Overlapping Gaussian classes, every feature of another scale."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, images)
    centres = np.random.default_rng(99).normal(size=(classes, features)) * distance
    points = (centres[labels] + generator.normal(size=(images, features))) * np.linspace(0.3, 3, features)
    return torch.tensor(points), torch.tensor(labels)


@pytest.mark.parametrize("penalty", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize(
    ("images", "features", "classes"), [(300, 12, 5), (120, 6, 2), (30, 80, 4)], ids=["many", "binary", "few_labels"]
)
@pytest.mark.parametrize(
    ("last_step", "tolerance"), [(newton.LAST_STEP, 2e-3), (1e-10, 1e-5)], ids=["as_used", "exact"]
)
def test_agrees_with_scikit_learn(
    images: int,
    features: int,
    classes: int,
    penalty: float,
    last_step: float,
    tolerance: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(newton, "LAST_STEP", last_step)
    x, y = blobs(images, features, classes)
    # For two classes scikit-learn fits one vector w; softmax has two, w / 2 and -w / 2, with half the squared norm.
    strength = 1 / (penalty * images) * (2 if classes == 2 else 1)
    theirs = LogisticRegression(C=strength, tol=1e-10, max_iter=50_000, solver="newton-cg")
    theirs.fit(x.numpy(), y.numpy())
    ((_, ours),) = fit_path(x, y, [penalty], classes)
    assert ours.converged
    np.testing.assert_allclose(ours.scores(x).softmax(1), theirs.predict_proba(x.numpy()), atol=tolerance)
    weights, bias = theirs.coef_, theirs.intercept_
    if classes == 2:
        weights, bias = np.stack([-weights[0], weights[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    np.testing.assert_allclose(ours.weights, weights, atol=tolerance * np.abs(weights).max())
    np.testing.assert_allclose(ours.bias, bias - bias.mean(), atol=tolerance * np.abs(bias).max())


def test_at_the_minimum_the_gradient_of_the_documented_objective_vanishes() -> None:
    x, y = blobs(200, 8, 3)
    ((penalty, probe),) = fit_path(x, y, [0.01], 3)
    weights, bias = probe.weights.clone().requires_grad_(), probe.bias.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(x @ weights.T + bias, y) + penalty / 2 * weights.square().sum()
    loss.backward()
    assert weights.grad is not None
    assert bias.grad is not None
    assert weights.grad.abs().max() < 2e-5
    assert bias.grad.abs().max() < 2e-5


def test_the_path_gives_the_same_probes_as_single_fits_in_any_order() -> None:
    x, y = blobs(150, 10, 4)
    path = dict(fit_path(x, y, [1e-3, 1.0, 1e-2], 4))
    assert list(path) == [1.0, 1e-2, 1e-3]
    for penalty, probe in path.items():
        ((_, alone),) = fit_path(x, y, [penalty], 4)
        torch.testing.assert_close(probe.weights, alone.weights, atol=1e-4, rtol=1e-3)


def test_a_fit_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newton, "MAXIMUM_STEPS", 1)
    x, y = blobs(100, 10, 3)
    selection = select(x, y, x, y, [1e-4], 3)
    assert selection.unconverged == [1e-4]


def test_a_class_without_train_images_is_never_predicted() -> None:
    x, y = blobs(90, 5, 3)
    y = y * 2  # classes 0, 2, 4 of 5
    ((_, probe),) = fit_path(x, y, [0.1], 5)
    scores = probe.scores(x)
    assert torch.isneginf(scores[:, [1, 3]]).all()
    assert torch.isfinite(scores[:, [0, 2, 4]]).all()
    assert top_k_accuracy(scores, torch.full_like(y, 3), 1) == 0.0


def test_perfect_features_give_one_and_noise_gives_chance() -> None:
    labels = torch.arange(400) % 4
    perfect = torch.nn.functional.one_hot(labels).double()
    noise = torch.tensor(np.random.default_rng(1).normal(size=(400, 4)))
    penalties = [1e-3, 1e-1]
    best = select(perfect[:200], labels[:200], perfect[200:300], labels[200:300], penalties, 4)
    assert top_k_accuracy(best.probe.scores(perfect[300:]), labels[300:], 1) == 1.0
    chance = select(noise[:200], labels[:200], noise[200:300], labels[200:300], penalties, 4)
    assert 0.1 < top_k_accuracy(chance.probe.scores(noise[300:]), labels[300:], 1) < 0.4


def test_constant_features_give_chance_and_not_a_perfect_score() -> None:
    labels = torch.arange(40) % 4
    constant = View(*(torch.full((40, 3), 7.0),) * 3)
    standard = standardise(constant)
    selection = select(standard.train, labels, standard.validation, labels, [0.1], 4)
    assert top_k_accuracy(selection.probe.scores(standard.test), labels, 1) == 0.25


def test_selection_takes_what_is_best_on_validation() -> None:
    x, y = blobs(60, 40, 3, distance=0.25)
    validation_x, validation_y = blobs(300, 40, 3, seed=1, distance=0.25)
    selection = select(x, y, validation_x, validation_y, [1e-5, 1e-1, 10.0], 3)
    for penalty, accuracy in selection.validation_top1.items():
        ((_, probe),) = fit_path(x, y, [penalty], 3)
        assert top_k_accuracy(probe.scores(validation_x), validation_y, 1) == accuracy
    assert selection.validation_top1[selection.penalty] == max(selection.validation_top1.values())
    assert len(set(selection.validation_top1.values())) > 1


def test_among_equals_the_largest_penalty_is_selected() -> None:
    y = torch.arange(30) % 3
    x = torch.nn.functional.one_hot(y).double()
    assert select(x, y, x, y, [1e-4, 1e-2, 1e-3], 3).penalty == 1e-2


@pytest.mark.parametrize(
    ("penalties", "chosen", "at_edge"),
    [([1, 2, 3], 1, True), ([1, 2, 3], 3, True), ([1, 2, 3], 2, False), ([2], 2, False)],
)
def test_a_penalty_at_the_edge_of_the_grid_is_known(penalties: list[float], chosen: float, at_edge: bool) -> None:
    ((_, probe),) = fit_path(*blobs(20, 2, 2), [0.1], 2)
    assert Selection(probe, chosen, dict.fromkeys(penalties, 0.5), []).at_edge is at_edge


def test_standardise_uses_the_moments_of_train_only_and_zeroes_what_is_constant_there() -> None:
    train = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    other = torch.tensor([[2.0, 6.0], [7.0, 5.0]])
    view = standardise(View(train, other, other + 1))
    torch.testing.assert_close(view.train, torch.tensor([[-1.0, 0.0], [1.0, 0.0]]).double())
    torch.testing.assert_close(view.validation, torch.tensor([[0.0, 0.0], [5.0, 0.0]]).double())
    torch.testing.assert_close(view.test, torch.tensor([[1.0, 0.0], [6.0, 0.0]]).double())


@pytest.mark.parametrize(("k", "expected"), [(1, 0.25), (2, 0.5), (3, 0.75)])
def test_top_k_accuracy(k: int, expected: float) -> None:
    scores = torch.tensor([[3.0, 2.0, 1.0, 0.0]] * 4)
    assert top_k_accuracy(scores, torch.tensor([0, 1, 2, 3]), k) == expected
