import pytest
import torch

from components.evaluate_representation import rows as module
from components.evaluate_representation.principal_axes import principal_axes
from components.evaluate_representation.rows import rows_of


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("images", [50, 5])
def test_axes_are_orthonormal_and_hold_all_that_varies(
    images: int, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.randn(images, 8, generator=torch.Generator().manual_seed(0)).double() * torch.arange(1, 9) + 5
    x[:, 3] = 2.0
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 8 * 7)
    if not in_memory:
        monkeypatch.setattr(module, "_BYTES_ON_CPU", 0)
    found = principal_axes(rows_of(x))
    centred = x - x.mean(0)
    torch.testing.assert_close(found.mean, x.mean(0))
    torch.testing.assert_close(found.axes.T @ found.axes, torch.eye(found.axes.shape[1]).double())
    assert found.axes.shape[1] == (8 if not in_memory else min(images - 1, 7))
    coordinates = centred @ found.axes
    torch.testing.assert_close(coordinates @ found.axes.T, centred)
    covariance = torch.diag(found.variances)
    torch.testing.assert_close(coordinates.T @ coordinates / images, covariance, atol=1e-9, rtol=1e-9)
