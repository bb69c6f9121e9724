"""The small trunk: its resolutions, its blocks written out, and what its features are."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from components.bigbigan.encoder.basic_resnet import BasicBlock, BasicResNet
from tests.unit.bigbigan.reference import normalised

X = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def trunk(**changes: object) -> BasicResNet:
    torch.manual_seed(0)
    arguments = {"image_channels": 3, "image_size": 16, "channels": 4, "multipliers": [1, 2, 4], "stem_kernel": 5}
    return BasicResNet(**(arguments | changes))


def test_features_are_the_average_over_positions_after_the_last_relu():
    network = trunk()
    maps = []
    network.norm.register_forward_hook(lambda module, given, result: maps.append(result))
    features = network(X)
    assert network.feature_size == 16
    assert features.shape == (5, 16)
    assert (maps[0] < 0).any(), "a ReLU must have something to do"
    torch.testing.assert_close(features, maps[0].clamp(min=0).mean((2, 3)))


@pytest.mark.parametrize(("size", "smallest"), [(28, 4), (32, 4), (16, 2), (8, 1), (9, 2)])
def test_the_stem_and_every_block_but_the_first_halve_the_resolution(size, smallest):
    network = trunk(image_size=size)
    shapes = []
    network.blocks.register_forward_hook(lambda module, given, result: shapes.append(result.shape))
    network(torch.randn(2, 3, size, size))
    assert shapes == [(2, 16, smallest, smallest)]


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_the_stem_has_stride_2_whatever_its_kernel(kernel):
    assert trunk(stem_kernel=kernel).stem(X).shape == (5, 4, 8, 8)


@pytest.mark.parametrize(("in_channels", "stride"), [(6, 1), (6, 2), (4, 1)])
def test_a_block_normalises_before_its_convolutions_and_its_shortcut(in_channels, stride):
    torch.manual_seed(0)
    block = BasicBlock(in_channels, 6, stride).double()
    for value in block.parameters():
        nn.init.normal_(value)
    weights = dict(block.named_parameters())
    x = torch.randn(3, in_channels, 6, 6, dtype=torch.float64)
    h = normalised(x, weights, "norm1")
    expected = F.conv2d(h, weights["shortcut.weight"], stride=stride) if "shortcut.weight" in weights else x
    h = normalised(F.conv2d(h, weights["conv1.weight"], stride=stride, padding=1), weights, "norm2")
    torch.testing.assert_close(block(x), expected + F.conv2d(h, weights["conv2.weight"], padding=1))
    assert (block.shortcut is None) == (in_channels == 6 and stride == 1)


def test_weights_start_orthogonal_and_none_is_spectrally_normalised():
    network = trunk()
    for layer in (network.stem, network.blocks[1].conv1, network.blocks[1].shortcut):
        matrix = layer.weight.flatten(1)
        small = matrix @ matrix.t() if len(matrix) <= matrix.shape[1] else matrix.t() @ matrix
        torch.testing.assert_close(small, torch.eye(len(small)), rtol=0, atol=1e-5)
    assert not [name for name, _ in network.named_buffers() if name.endswith((".u", ".v"))]
