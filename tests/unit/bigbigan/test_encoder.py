"""E: a sample is mu + sigma times the noise, and the features are what is pooled after the last ReLU."""

import pytest
import torch
import torch.nn.functional as F

from components.bigbigan.encoder import Encoder


def encoder(**changes: object) -> Encoder:
    torch.manual_seed(0)
    arguments = {
        "image_channels": 3,
        "latent_size": 6,
        "channels": 4,
        "multipliers": [1, 2, 4],
        "stem_kernel": 5,
        "head_width": 12,
        "head_layers": 3,
        "stochastic": True,
        "sigma_bias": -2.0,
    }
    return Encoder(**(arguments | changes)).eval()


X = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))
NOISE = torch.randn(5, 6, generator=torch.Generator().manual_seed(2))


def test_z_is_mu_plus_sigma_times_the_noise():
    network = encoder()
    mu, sigma = network.distribution(network.features(X))
    assert mu.shape == sigma.shape == (5, 6)
    assert (sigma > 0).all()
    torch.testing.assert_close(network(X, NOISE), mu + sigma * NOISE)
    torch.testing.assert_close(network(X, torch.zeros_like(NOISE)), mu)


def test_sigma_is_the_softplus_of_sigma_hat_which_starts_at_its_bias():
    network = encoder(sigma_bias=-1.5)
    assert (network.sigma_hat.bias == -1.5).all()
    with torch.no_grad():
        network.sigma_hat.weight.zero_()
    _, sigma = network.distribution(network.features(X))
    torch.testing.assert_close(sigma, F.softplus(torch.tensor(-1.5)).expand(5, 6))


def test_a_deterministic_encoder_does_not_use_the_noise():
    network = encoder(stochastic=False)
    mu, sigma = network.distribution(network.features(X))
    assert not sigma.any()
    assert torch.equal(network(X, NOISE), network(X, 100 * NOISE))
    torch.testing.assert_close(network(X, NOISE), mu)


def test_mu_and_sigma_both_learn_from_z():
    network = encoder()
    network(X, NOISE).square().sum().backward()
    missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


def test_features_are_the_average_over_positions_after_the_last_relu():
    network = encoder()
    maps = []
    network.norm.register_forward_hook(lambda module, given, result: maps.append(result))
    features = network.features(X)
    assert features.shape == (5, 16)
    assert (features >= 0).all()
    assert (maps[0] < 0).any(), "a ReLU must have something to do"
    torch.testing.assert_close(features, maps[0].clamp(min=0).mean((2, 3)))


@pytest.mark.parametrize(("size", "smallest"), [(28, 4), (32, 4), (16, 2), (8, 1), (9, 2)])
def test_the_stem_and_every_block_but_the_first_halve_the_resolution(size, smallest):
    network = encoder()
    shapes = []
    network.blocks.register_forward_hook(lambda module, given, result: shapes.append(result.shape))
    network.features(torch.randn(2, 3, size, size))
    assert shapes == [(2, 16, smallest, smallest)]


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_the_stem_has_stride_2_whatever_its_kernel(kernel):
    assert encoder(stem_kernel=kernel).stem(X).shape == (5, 4, 8, 8)


def test_the_encoder_has_no_spectral_norm():
    assert not [name for name, _ in encoder().named_buffers() if name.endswith((".u", ".v"))]


def test_weights_start_orthogonal_and_biases_at_0():
    network = encoder()
    for layer in (network.stem, network.blocks[1].conv1, network.mu, network.head.residual[0]):
        matrix = layer.weight.flatten(1)
        small = matrix @ matrix.t() if len(matrix) <= matrix.shape[1] else matrix.t() @ matrix
        torch.testing.assert_close(small, torch.eye(len(small)), rtol=0, atol=1e-5)
    assert not network.mu.bias.any()
