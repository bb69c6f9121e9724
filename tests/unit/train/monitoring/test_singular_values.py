import pytest
import torch
from torch import nn

from components.train.monitoring.singular_values import singular_values


def networks() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "generator": nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.ConvTranspose2d(12, 6, 4)),
            "discriminator": nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 1)),
        }
    )


def test_every_layer_has_the_largest_singular_value_of_its_weight_as_a_matrix() -> None:
    model = networks()
    values = singular_values(model)
    assert list(values) == [
        "sigma/generator.0",
        "sigma/generator.2",
        "sigma/discriminator.0",
        "sigma/discriminator.2",
    ]
    for name, value in values.items():
        weight = model.get_submodule(name.removeprefix("sigma/")).weight
        assert isinstance(weight, torch.Tensor)
        exact = torch.linalg.matrix_norm(weight.detach().double().flatten(1), 2).item()
        assert 0.97 * exact < value < 1.0001 * exact


def test_it_follows_the_weight_s_scale_and_changes_nothing() -> None:
    model = networks()
    before, random = singular_values(model), torch.get_rng_state()
    with torch.no_grad():
        model.get_submodule("generator.0").weight.mul_(3.0)  # type: ignore[operator, union-attr]
    after = singular_values(model)
    assert after["sigma/generator.0"] == pytest.approx(3 * before["sigma/generator.0"])
    assert after["sigma/discriminator.0"] == before["sigma/discriminator.0"]
    assert torch.equal(random, torch.get_rng_state())
