"""Standing statistics: the plain average over batches, whatever stood there before."""

import pytest
import torch
from torch import nn

from components.bigbigan.batch_norm import BatchNorm1d, BatchNorm2d
from components.bigbigan.generator.biggan import ConditionalBatchNorm
from components.bigbigan.standing_statistics import recompute


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(BatchNorm2d(3), nn.Conv2d(3, 4, 1), BatchNorm2d(4), nn.Flatten(), BatchNorm1d(64))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_they_are_the_plain_average_over_batches(count):
    module = network()
    batches = [torch.randn(5, 3, 4, 4) * (index + 1) + index for index in range(count)]
    for value in [module[0].running_mean, module[0].running_var]:
        value.fill_(100)  # what was there before must not count
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
    features = [second[:4](batch) for batch in batches]
    torch.testing.assert_close(module[4].running_var, torch.stack([f.var(0) for f in features]).mean(0))


def test_eval_mode_follows_and_nothing_else_changes():
    module = network().train()
    before = {name: value.clone() for name, value in module.named_parameters()}
    recompute(module, [(torch.randn(5, 3, 4, 4),)] * 2)
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


def test_afterwards_training_writes_nothing_even_if_a_batch_failed():
    module = network()
    with pytest.raises(RuntimeError):
        recompute(module, [(torch.randn(5, 3, 4, 4),), (torch.randn(5, 4, 4, 4),)])
    assert not any(layer.training for layer in module.modules())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.train()(torch.randn(5, 3, 4, 4))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_conditional_normalisations_are_reached_too():
    torch.manual_seed(0)
    norm = ConditionalBatchNorm(3, 2)
    x, condition = torch.randn(16, 3, 4, 4) + 5, torch.randn(16, 2)
    recompute(norm, [(x, condition)] * 4)
    assert norm.normalise.num_batches_tracked == 4
    torch.testing.assert_close(norm.normalise.running_mean, x.mean((0, 2, 3)))
    torch.testing.assert_close(norm(x, condition)[:1], norm(x[:1], condition[:1]))


def test_torchs_own_batch_normalisation_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^0\.1 is torch's own BatchNorm2d: use"):
        recompute(nn.Sequential(nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3))), [])
