"""Self-attention against the formula, position by position."""

import pytest
import torch
import torch.nn.functional as F

from components.bigbigan.attention import SelfAttention


def test_it_starts_as_the_identity_and_can_learn_to_be_more():
    torch.manual_seed(0)
    attention = SelfAttention(16)
    x = torch.randn(2, 16, 6, 6)
    assert torch.equal(attention(x), x)
    attention(x).square().sum().backward()
    assert attention.gamma.grad != 0


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 7)])
def test_each_position_gets_the_mixture_that_the_softmax_of_its_products_says(height, width):
    torch.manual_seed(0)
    attention = SelfAttention(16).double()
    with torch.no_grad():
        attention.gamma.fill_(0.7)
    x = torch.randn(1, 16, height, width).double()
    query = attention.query(x)
    key, value = F.max_pool2d(attention.key(x), 2), F.max_pool2d(attention.value(x), 2)
    mixed = torch.zeros(1, 8, height, width).double()
    for i in range(height):
        for j in range(width):
            products = torch.einsum("c,chw->hw", query[0, :, i, j], key[0])
            weights = products.exp() / products.exp().sum()
            mixed[0, :, i, j] = torch.einsum("hw,chw->c", weights, value[0])
    torch.testing.assert_close(attention(x), x + 0.7 * attention.output(mixed))


@pytest.mark.parametrize("channels", [1, 2, 7, 8, 16])
def test_few_channels_do(channels):
    assert SelfAttention(channels)(torch.randn(2, channels, 4, 4)).shape == (2, channels, 4, 4)


def test_under_autocast_the_softmax_is_taken_in_float32_and_its_weights_are_short(monkeypatch):
    seen = []
    softmax = torch.softmax
    monkeypatch.setattr(torch, "softmax", lambda *given, **named: seen.append(softmax(*given, **named)) or seen[-1])
    attention, x = SelfAttention(16), torch.randn(2, 16, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = attention(x)
    assert seen[0].dtype == torch.float32
    assert mixed.dtype == torch.float32, "x is"
    torch.testing.assert_close(seen[0].sum(-1), torch.ones(2, 16))
