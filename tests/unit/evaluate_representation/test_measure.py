from dataclasses import replace

import numpy as np
import pytest
import torch

from components.evaluate_representation.measure import Labels, few_labels, linear_probe, neighbours
from components.evaluate_representation.probe import standardise
from components.evaluate_representation.rows import rows_of
from components.evaluate_representation.views import View
from tests.unit.evaluate_representation.alone import view_of

PENALTIES = [1e-4, 1e-2, 1.0]


def noisy(classes: int = 3, count: int = 60) -> tuple[View, Labels]:
    generator = np.random.default_rng(0)
    parts, labels = [], []
    for _ in range(3):
        own = np.arange(count) % classes
        parts.append(torch.tensor(generator.normal(size=(count, 8)) + 0.9 * np.eye(classes, 8)[own]))
        labels.append(torch.tensor(own))
    return standardise(view_of(*parts)), Labels(*labels, classes=classes)


def scrambled(labels: Labels) -> Labels:
    return replace(labels, test=labels.test.flip(0).roll(1))


def test_test_labels_change_no_weight_no_penalty_and_no_prediction() -> None:
    view, labels = noisy()
    ours, theirs = (linear_probe("x", view, known, PENALTIES) for known in (labels, scrambled(labels)))
    assert torch.equal(ours.selection.probe.weights, theirs.selection.probe.weights)
    assert ours.selection.validation_top1 == theirs.selection.validation_top1
    assert torch.equal(ours.predictions, theirs.predictions)
    assert ours.values != theirs.values


def test_test_features_change_no_weight_and_no_penalty() -> None:
    view, labels = noisy()
    ours = linear_probe("x", view, labels, PENALTIES)
    theirs = linear_probe(
        "x", replace(view, test=rows_of(torch.zeros(view.test.count, view.test.width))), labels, PENALTIES
    )
    assert torch.equal(ours.selection.probe.weights, theirs.selection.probe.weights)


def test_validation_labels_change_the_choice_but_no_fit() -> None:
    view, labels = noisy()
    ours = linear_probe("x", view, labels, [0.1])
    theirs = linear_probe("x", view, replace(labels, validation=labels.validation.flip(0)), [0.1])
    assert torch.equal(ours.selection.probe.weights, theirs.selection.probe.weights)
    assert ours.selection.validation_top1 != theirs.selection.validation_top1


def test_few_labels_selects_without_test_and_reports_mean_and_spread() -> None:
    view, labels = noisy()
    draws = [np.arange(9), np.arange(9, 18), np.arange(30, 39)]
    ours, theirs = (
        few_labels("x", view, known, "3_per_class", draws, PENALTIES) for known in (labels, scrambled(labels))
    )
    assert ours.penalties == theirs.penalties
    singles = [
        few_labels("x", view, labels, "3_per_class", [one], PENALTIES).values["linear_top1_x_3_per_class_test_mean"]
        for one in draws
    ]
    assert ours.values == {
        "linear_top1_x_3_per_class_test_mean": pytest.approx(np.mean(singles)),
        "linear_top1_x_3_per_class_test_std": pytest.approx(np.std(singles, ddof=1)),
    }


def test_few_labels_sees_no_label_but_the_drawn() -> None:
    view, labels = noisy()
    drawn = np.arange(9)
    hidden = labels.train.clone()
    hidden[9:] = 0
    ours = few_labels("x", view, labels, "3_per_class", [drawn], PENALTIES)
    assert ours == few_labels("x", view, replace(labels, train=hidden), "3_per_class", [drawn], PENALTIES)


def test_a_single_draw_has_no_spread() -> None:
    view, labels = noisy()
    assert list(few_labels("x", view, labels, "3_per_class", [np.arange(9)], PENALTIES).values) == [
        "linear_top1_x_3_per_class_test_mean"
    ]


@pytest.mark.parametrize(("classes", "has_top5"), [(5, False), (6, True)])
def test_top5_is_reported_for_more_than_five_classes(classes: int, has_top5: bool) -> None:
    view, labels = noisy(classes)
    values = linear_probe("x", view, labels, [0.1]).values
    assert ("linear_top5_x_test" in values) is has_top5
    if has_top5:
        assert values["linear_top5_x_test"] > values["linear_top1_x_test"]


def test_neighbours_of_perfect_and_of_random_features() -> None:
    labels = Labels(*(torch.arange(400) % 4,) * 3, classes=4)
    perfect = torch.nn.functional.one_hot(labels.train).double() + 0.01 * torch.randn(400, 4)
    assert neighbours("x", view_of(perfect, perfect, perfect), labels, [1, 5]) == {
        "knn1_top1_x_test": 1.0,
        "knn5_top1_x_test": 1.0,
    }
    generator = torch.Generator().manual_seed(0)
    noise = view_of(*(torch.randn(400, 4, generator=generator) for _ in range(3)))
    assert all(0.15 < value < 0.35 for value in neighbours("x", noise, labels, [1, 5]).values())
