"""The residual MLP, written out."""

import torch
from torch import nn

from components.bigbigan.residual_mlp import ResidualMLP


def test_it_is_the_formula():
    torch.manual_seed(0)
    mlp = ResidualMLP(3, 5, 3, nn.Linear)
    x = torch.randn(4, 3)
    h = mlp.first(x)
    h = h + mlp.residual[0](h.clamp(min=0))
    h = h + mlp.residual[1](h.clamp(min=0))
    assert len(mlp.residual) == 2
    torch.testing.assert_close(mlp(x), h.clamp(min=0))


def test_one_layer_is_one_layer():
    mlp = ResidualMLP(3, 5, 1, nn.Linear)
    assert sum(p.numel() for p in mlp.parameters()) == 3 * 5 + 5
    assert mlp(torch.randn(2, 3)).shape == (2, 5)
