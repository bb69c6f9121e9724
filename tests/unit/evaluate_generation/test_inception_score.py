import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from components.evaluate_generation.inception_score import divergences, inception_score


def score(logits: Tensor, splits: int) -> tuple[float, float]:
    return inception_score(divergences(logits, splits))


def test_reference_torchmetrics_on_one_split() -> None:
    logits = torch.randn(200, 7, generator=torch.Generator().manual_seed(0)) * 3
    metric = InceptionScore(feature=nn.Identity(), splits=1)
    metric.update(logits.double())
    reference, _ = metric.compute()
    assert score(logits, 1)[0] == pytest.approx(float(reference), rel=1e-6)
    assert score(logits, 1)[1] == 0.0


def test_reference_by_its_definition_on_uneven_splits() -> None:
    logits = torch.randn(11, 4, generator=torch.Generator().manual_seed(1))
    parts = []
    for part in (logits[:4], logits[4:8], logits[8:]):
        p = torch.softmax(part.double(), 1)
        parts.append(float((p * (p / p.mean(0)).log()).sum(1).mean().exp()))
    mean = sum(parts) / 3
    deviation = (sum((part - mean) ** 2 for part in parts) / 3) ** 0.5
    assert score(logits, 3) == pytest.approx((mean, deviation), rel=1e-9)


def certain(classes: list[int], count: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(classes), count).float() * 1000


def test_known_values_and_direction() -> None:
    assert score(certain([0, 1, 2, 3] * 5, 4), 1)[0] == pytest.approx(4.0), "all classes, told with certainty"
    assert score(certain([2] * 20, 4), 1)[0] == pytest.approx(1.0), "one class only"
    assert score(torch.zeros(20, 4), 1)[0] == pytest.approx(1.0), "no answer at all"
    assert score(certain([0, 1] * 10, 4), 1)[0] == pytest.approx(2.0), "half of the classes lost"


def test_float64() -> None:
    assert divergences(torch.zeros(4, 2), 2).dtype == torch.float64
