"""Standing statistics: the plain average over batches, whatever stood there before."""

import pytest
import torch
from torch import nn

from components.bigbigan.generator import Generator
from components.bigbigan.standing_statistics import recompute


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm2d(3, momentum=0.3), nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_they_are_the_plain_average_over_batches(count):
    module = network()
    batches = [torch.randn(5, 3, 4, 4) * (index + 1) + index for index in range(count)]
    module(torch.randn(5, 3, 4, 4) * 100)  # what was there before must not count
    recompute(module, ((batch,) for batch in batches))
    expected = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(module[0].running_mean, expected)
    expected = torch.stack([batch.var((0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(module[0].running_var, expected)


def test_later_layers_see_each_batch_normalised_by_itself():
    module = network()
    batches = [torch.randn(5, 3, 4, 4) * 3 + 1, torch.randn(5, 3, 4, 4)]
    recompute(module, ((batch,) for batch in batches))
    second = network().train()
    maps = [second[1](second[0](batch)) for batch in batches]
    expected = torch.stack([h.mean((0, 2, 3)) for h in maps]).mean(0)
    torch.testing.assert_close(module[2].running_mean, expected)


def test_momentum_stays_and_eval_mode_follows_and_nothing_else_changes():
    module = network().train()
    before = {name: value.clone() for name, value in module.named_parameters()}
    recompute(module, [(torch.randn(5, 3, 4, 4),)] * 2)
    assert [module[0].momentum, module[2].momentum] == [0.3, 0.1]
    assert not any(layer.training for layer in module.modules())
    assert all(torch.equal(value, before[name]) for name, value in module.named_parameters())
    assert all(value.grad is None for value in module.parameters())


def test_once_more_gives_the_same():
    module = network()
    batches = [(torch.randn(5, 3, 4, 4),) for _ in range(3)]
    recompute(module, batches)
    first = {name: value.clone() for name, value in module.state_dict().items()}
    recompute(module, batches)
    assert all(torch.equal(value, first[name]) for name, value in module.state_dict().items())


def test_conditional_normalisations_are_reached_too():
    torch.manual_seed(0)
    generator = Generator(8, 1, 6, 4, [2, 1], 5, 0)
    recompute(generator, [(torch.randn(16, 6),) for _ in range(4)])
    assert generator.blocks[0].norm1.normalise.num_batches_tracked == 4
    assert generator.blocks[0].norm2.normalise.running_mean.any()
    z = torch.randn(3, 6)
    torch.testing.assert_close(generator(z)[:1], generator(z[:1]))
