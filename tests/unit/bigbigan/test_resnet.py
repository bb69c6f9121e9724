"""ResNet v2 as a trunk: as many parameters as in the literature, and the order of its layers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from components.bigbigan.encoder.resnet import Bottleneck, ResNet
from components.bigbigan.recompute import recompute_blocks
from tests.unit.bigbigan.reference import normalised


@pytest.fixture
def _no_values(monkeypatch):
    """On the meta device tensors have shapes and no values; orthogonal initialisation would need values."""
    monkeypatch.setattr(nn.init, "orthogonal_", lambda tensor: tensor)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.usefixtures("_no_values")
@pytest.mark.parametrize(
    ("layers", "width", "expected"),
    [(50, 1, 23_500_352), (50, 2, 93_891_712), (50, 4, 375_347_456), (101, 1, 42_492_480)],
)
def test_parameters_and_shapes(layers, width, expected):
    with torch.device("meta"):
        network = ResNet(3, 128, layers, width)
        features = [network(torch.empty(2, 3, size, size)) for size in (128, 256)]
    assert parameters(network) == expected
    assert network.feature_size == 2048 * width
    assert [tuple(x.shape) for x in features] == [(2, 2048 * width)] * 2


@pytest.mark.usefixtures("_no_values")
@pytest.mark.parametrize(("size", "expected"), [(128, (32, 16, 8, 4)), (256, (64, 32, 16, 8)), (112, (28, 14, 7, 4))])
def test_resolution_of_each_stage(size, expected):
    seen = []
    with torch.device("meta"):
        network = ResNet(1, size, 50, 1)
        for block in network.blocks:
            block.register_forward_hook(lambda module, given, result: seen.append(tuple(result.shape[1:])))
        network(torch.empty(2, 1, size, size))
    ends = [seen[i] for i in (2, 6, 12, 15)]
    assert ends == [(256 * 2**i, pixels, pixels) for i, pixels in enumerate(expected)]


@pytest.mark.parametrize(("in_channels", "stride"), [(8, 1), (8, 2), (4, 1)])
def test_a_block_normalises_before_its_convolutions_and_its_shortcut(in_channels, stride):
    torch.manual_seed(0)
    block = Bottleneck(in_channels, 8, stride).double()
    for value in block.parameters():
        nn.init.normal_(value)
    weights = dict(block.named_parameters())
    x = torch.randn(3, in_channels, 5, 5, dtype=torch.float64)
    h = normalised(x, weights, "norm1")
    expected = F.conv2d(h, weights["shortcut.weight"], stride=stride) if "shortcut.weight" in weights else x
    h = normalised(F.conv2d(h, weights["conv1.weight"]), weights, "norm2")
    h = normalised(F.conv2d(h, weights["conv2.weight"], stride=stride, padding=1), weights, "norm3")
    expected = expected + F.conv2d(h, weights["conv3.weight"])
    torch.testing.assert_close(block(x), expected)
    assert (block.shortcut is None) == (in_channels == 8 and stride == 1)


def test_features_are_the_average_over_positions_after_the_last_relu():
    torch.manual_seed(0)
    network = ResNet(1, 64, 50, 1)
    maps = []
    network.norm.register_forward_hook(lambda module, given, result: maps.append(result))
    features = network(torch.randn(3, 1, 64, 64))
    assert (maps[0] < 0).any(), "a ReLU must have something to do"
    torch.testing.assert_close(features, maps[0].clamp(min=0).mean((2, 3)))


def test_recomputed_blocks_give_the_same_gradients():
    torch.manual_seed(0)
    network = ResNet(1, 32, 50, 1)
    x = torch.randn(4, 1, 32, 32)
    gradients = []
    for _ in range(2):
        gradients.append(torch.autograd.grad(network(x).square().sum(), list(network.parameters())))
        recompute_blocks(network)
    assert all(torch.equal(first, second) for first, second in zip(*gradients, strict=True))
    assert all(gradient.isfinite().all() for gradient in gradients[0])


def test_another_number_of_layers_is_refused():
    with pytest.raises(ValueError, match="34 layers is not known; give one of 50, 101"):
        ResNet(3, 128, 34, 1)
