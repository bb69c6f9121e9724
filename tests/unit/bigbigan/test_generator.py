"""G: every chunk of z reaches its own block, and the one embedding reaches all of them."""

import pytest
import torch

from components.bigbigan.generator.biggan import BigGANGenerator, ConditionalBatchNorm


def generator(**changes: object) -> BigGANGenerator:
    torch.manual_seed(0)
    arguments = {
        "image_channels": 3,
        "latent_size": 9,
        "image_size": 16,
        "channels": 4,
        "multipliers": [3, 2, 1],
        "embedding_size": 5,
        "attention_resolution": 0,
    }
    return BigGANGenerator(**(arguments | changes))


def test_images_lie_between_minus_1_and_1():
    images = generator()(torch.randn(5, 9) * 10)
    assert images.shape == (5, 3, 16, 16)
    assert images.abs().max() <= 1
    assert images.min() < 0 < images.max()


@pytest.mark.parametrize("chunk", range(3))
def test_each_chunk_of_z_reaches_its_own_block_only(chunk):
    network = generator().eval()
    received = {}
    network.seed.register_forward_pre_hook(lambda module, given: received.update({0: given[0]}))
    for index, block in enumerate(network.blocks):
        block.register_forward_pre_hook(lambda module, given, index=index: received.update({index + 1: given[1]}))
    z = torch.randn(2, 9)
    network(z)
    before = dict(received)
    perturbed = z.clone()
    perturbed[:, 3 * chunk : 3 * chunk + 3] += 1
    network(perturbed)
    changed = [index for index in range(3) if not torch.equal(before[index], received[index])]
    assert changed == [chunk]
    part = received[chunk] if chunk == 0 else received[chunk][:, 5:]
    assert torch.equal(part, perturbed[:, 3 * chunk : 3 * chunk + 3])


def test_all_of_z_reaches_the_image():
    z = torch.randn(2, 9, requires_grad=True)
    # One image only: the images of a batch meet in batch normalisation, unless it is in eval mode.
    generator().eval()(z)[0].square().sum().backward()
    assert (z.grad[0] != 0).all()
    assert (z.grad[1] == 0).all()


def test_the_embedding_conditions_every_block_and_is_learned():
    network = generator()
    received = []
    for block in network.blocks:
        block.register_forward_pre_hook(lambda module, given: received.append(given[1]))
    network(torch.randn(4, 9)).square().sum().backward()
    assert network.embedding.shape == (1, 5)
    assert all(torch.equal(condition[:, :5], network.embedding.expand(4, 5)) for condition in received)
    assert len(received) == 2
    assert (network.embedding.grad != 0).all()


def test_the_condition_is_gain_1_plus_wc_and_bias_vc():
    torch.manual_seed(0)
    norm = ConditionalBatchNorm(4, 3).double()
    x, condition = torch.randn(5, 4, 6, 6).double(), torch.randn(5, 3).double()
    normalised = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), keepdim=True, correction=0) + 1e-4).sqrt()
    gain = 1 + condition @ norm.gain.normalised_weight().t()
    bias = condition @ norm.bias.normalised_weight().t()
    expected = gain[:, :, None, None] * normalised + bias[:, :, None, None]
    torch.testing.assert_close(norm(x, condition), expected)


@pytest.mark.parametrize(("resolution", "after"), [(0, []), (8, ["0"]), (16, ["1"])])
def test_attention_follows_the_block_of_its_resolution(resolution, after):
    network = generator(attention_resolution=resolution)
    assert list(network.attention) == after
    seen = []
    for attention in network.attention.values():
        attention.register_forward_pre_hook(lambda module, given: seen.append(given[0].shape[-1]))
    network(torch.randn(2, 9))
    assert seen == [resolution] * len(after)


def test_every_parameter_is_learned():
    network = generator(attention_resolution=8)
    with torch.no_grad():
        network.attention["0"].gamma.fill_(0.5)
    network(torch.randn(4, 9)).square().sum().backward()
    # A bias before a batch normalisation is taken out again by it.
    missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []
