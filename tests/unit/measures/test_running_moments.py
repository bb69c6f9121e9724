import pytest
import torch
from torch import Tensor

from components.measures.frechet_distance import moments
from components.measures.running_moments import RunningMoments


def features(count: int = 1000, offset: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 6, generator=generator) @ torch.randn(6, 6, generator=generator) + offset


def seen(parts: list[Tensor]) -> RunningMoments:
    running = RunningMoments(6)
    for part in parts:
        running.add(part)
    return running


@pytest.mark.parametrize("size", [1, 7, 999, 1000])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_reference_all_at_once_however_it_is_cut(size: int, offset: float) -> None:
    whole = features(offset=offset)
    found = seen(list(whole.split(size))).result()
    assert found.mean.dtype == found.covariance.dtype == torch.float64
    torch.testing.assert_close(found.mean, whole.double().mean(0), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.covariance, torch.cov(whole.double().T), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.covariance, moments(whole).covariance, rtol=1e-9, atol=1e-9)


def test_joining_is_seeing_both() -> None:
    first, second = features()[:300], features()[300:]
    joined = seen([first])
    joined.join(seen([second]))
    joined.join(RunningMoments(6))
    assert joined.count == 1000
    torch.testing.assert_close(joined.result().covariance, torch.cov(features().double().T), rtol=1e-11, atol=1e-11)


def test_known_numbers() -> None:
    running = RunningMoments(2)
    running.add(torch.tensor([[0.0, 0.0]]))
    running.add(torch.empty(0, 2))
    running.add(torch.tensor([[2.0, 0.0], [4.0, 3.0]]))
    found = running.result()
    assert found.mean.tolist() == [2.0, 1.0]
    assert found.covariance.tolist() == [[4.0, 3.0], [3.0, 3.0]]


def test_what_is_returned_does_not_change_with_what_comes() -> None:
    running = seen([features()])
    before = running.result()
    mean = before.mean.clone()
    running.add(features() + 5)
    assert torch.equal(before.mean, mean)


def test_one_image_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two images or more, and 1 were seen"):
        seen([features(1)]).result()
