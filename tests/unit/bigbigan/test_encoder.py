"""E: a sample is mu + sigma times the noise, from the features of a trunk at E's own resolution."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.encoder.basic_resnet import BasicResNet
from components.bigbigan.encoder.encoder import Encoder

STOCHASTIC = pytest.mark.parametrize("sigma", ["softplus", "exp"])


def encoder(**changes: object) -> Encoder:
    torch.manual_seed(0)
    arguments = {
        "trunk": BasicResNet(3, 16, channels=4, multipliers=[1, 2, 4], stem_kernel=5),
        "latent_size": 6,
        "image_size": 16,
        "head_width": 12,
        "head_layers": 3,
        "sigma": "softplus",
        "sigma_bias": -2.0,
        "output": "linear",
    }
    return Encoder(**(arguments | changes)).eval()


def images(size: int) -> Tensor:
    return torch.randn(5, 3, size, size, generator=torch.Generator().manual_seed(1))


X = images(16)
NOISE = torch.randn(5, 6, generator=torch.Generator().manual_seed(2))


# -------------------------------------------------------------------------------------------- the distribution


@STOCHASTIC
@pytest.mark.parametrize("output", ["linear", "tanh"])
def test_z_is_mu_plus_sigma_times_the_noise(sigma, output):
    network = encoder(sigma=sigma, output=output)
    mu, deviation = network.distribution(network.features(X))
    assert mu.shape == deviation.shape == (5, 6)
    assert (deviation > 0).all()
    torch.testing.assert_close(network(X, NOISE), mu + deviation * NOISE)
    torch.testing.assert_close(network(X, torch.zeros_like(NOISE)), mu)


@pytest.mark.parametrize(("sigma", "of_sigma_hat"), [("softplus", lambda t: torch.log1p(t.exp())), ("exp", torch.exp)])
def test_sigma_is_its_function_of_sigma_hat_which_starts_at_its_bias(sigma, of_sigma_hat):
    network = encoder(sigma=sigma, sigma_bias=-1.5)
    assert (network.sigma_hat.bias == -1.5).all()
    features = network.features(X)
    sigma_hat = F.linear(network.head(features), network.sigma_hat.weight) - 1.5
    torch.testing.assert_close(network.distribution(features)[1], of_sigma_hat(sigma_hat))
    with torch.no_grad():
        network.sigma_hat.weight.zero_()
    _, deviation = network.distribution(features)
    torch.testing.assert_close(deviation, of_sigma_hat(torch.tensor(-1.5)).expand(5, 6))


def test_a_stochastic_encoder_uses_the_noise_and_a_deterministic_one_does_not():
    for sigma, uses in (("softplus", True), ("exp", True), ("none", False)):
        network = encoder(sigma=sigma)
        assert torch.equal(network(X, NOISE), network(X, -NOISE)) != uses


@pytest.mark.parametrize("output", ["linear", "tanh"])
def test_a_deterministic_encoder_says_mu_and_has_no_weights_for_sigma(output):
    network = encoder(sigma="none", output=output)
    mu, deviation = network.distribution(network.features(X))
    assert not deviation.any()
    assert torch.equal(network(X, NOISE), mu)
    assert not [name for name, _ in network.named_parameters() if "sigma" in name]


@pytest.mark.parametrize("sigma", ["softplus", "exp", "none"])
@pytest.mark.parametrize("output", ["linear", "tanh"])
@pytest.mark.parametrize("head_layers", [0, 1, 3])
def test_every_weight_learns_from_z(sigma, output, head_layers):
    network = encoder(sigma=sigma, output=output, head_width=12 if head_layers else None, head_layers=head_layers)
    network(X, NOISE).square().sum().backward()
    missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


# ---------------------------------------------------------------------------------------------- bounded output


def test_tanh_keeps_mu_in_the_range_of_the_uniform_prior_and_linear_does_not():
    for output, bounded in (("tanh", True), ("linear", False)):
        network = encoder(output=output, sigma="none")
        nn.init.normal_(network.mu.weight, std=50.0)
        mu = network(X, NOISE)
        assert bool((mu.abs() <= 1).all()) == bounded
        assert mu.min() < -0.9
        assert mu.max() > 0.9
        assert network.bounded == bounded


@pytest.mark.parametrize("output", ["tanh", "linear"])
def test_location_is_what_mu_is_a_function_of(output):
    network = encoder(output=output)
    h = F.linear(network.head(network.features(X)), network.mu.weight, network.mu.bias)
    torch.testing.assert_close(network.location(X), h)
    mu, _ = network.distribution(network.features(X))
    torch.testing.assert_close(mu, 2 / (1 + (-h).exp()) - 1 if output == "tanh" else h)


def test_bounded_mu_has_no_bias_and_starts_with_small_weights():
    network = encoder(output="tanh", latent_size=200, head_width=250)
    assert network.mu.bias is None
    weight = network.mu.weight
    assert weight.shape == (200, 250)
    assert weight.std().item() == pytest.approx(0.02, rel=0.03)
    assert abs(weight.mean().item()) < 5 * 0.02 / weight.numel() ** 0.5


# ---------------------------------------------------------------------------------------------------- the head


def test_without_layers_in_the_head_mu_and_sigma_hat_are_linear_in_the_features():
    network = encoder(head_width=None, head_layers=0)
    assert list(network.head.parameters()) == []
    assert network.mu.weight.shape == network.sigma_hat.weight.shape == (6, 16)
    features = network.features(X)
    mu, deviation = network.distribution(features)
    torch.testing.assert_close(mu, features @ network.mu.weight.t() + network.mu.bias)
    torch.testing.assert_close(deviation, F.softplus(features @ network.sigma_hat.weight.t() + network.sigma_hat.bias))


@pytest.mark.parametrize("head_layers", [1, 2, 4])
def test_the_head_is_a_residual_mlp_of_so_many_layers(head_layers):
    network = encoder(head_layers=head_layers)
    expected = (16 * 12 + 12) + (head_layers - 1) * (12 * 12 + 12)
    assert sum(parameter.numel() for parameter in network.head.parameters()) == expected
    features = network.features(X)
    h = network.head.first(features)
    for layer in network.head.residual:
        h = h + layer(h.clamp(min=0))
    torch.testing.assert_close(network.distribution(features)[0], network.mu(h.clamp(min=0)))


def test_weights_start_orthogonal_biases_at_0_and_none_is_spectrally_normalised():
    network = encoder()
    for layer in (network.mu, network.sigma_hat, network.head.first, network.head.residual[0]):
        matrix = layer.weight
        small = matrix @ matrix.t() if len(matrix) <= matrix.shape[1] else matrix.t() @ matrix
        torch.testing.assert_close(small, torch.eye(len(small)), rtol=0, atol=1e-5)
    assert not network.mu.bias.any()
    assert not network.head.residual[0].bias.any()
    assert not [name for name, _ in network.named_buffers() if name.endswith((".u", ".v"))]


# ----------------------------------------------------------------------------------------- features and resolution


def test_features_are_those_of_the_trunk():
    network = encoder()
    features = network.features(X)
    assert features.shape == (5, network.trunk.feature_size)
    assert torch.equal(features, network.trunk(X))


@pytest.mark.parametrize("side", [2, 3])
def test_larger_images_are_averaged_down_to_the_encoders_resolution(side):
    network, larger = encoder(), images(16 * side)
    by_hand = sum(larger[:, :, i::side, j::side] for i in range(side) for j in range(side)) / side**2
    torch.testing.assert_close(network.features(larger), network.trunk(by_hand))
    torch.testing.assert_close(network(larger, NOISE), network(by_hand, NOISE))
    torch.testing.assert_close(network.location(larger), network.location(by_hand))


@pytest.mark.parametrize("size", [8, 24, 28])
def test_images_that_cannot_be_averaged_down_are_refused(size):
    with pytest.raises(ValueError, match=f"images of {size} px cannot be averaged to 16 px"):
        encoder()(images(size), NOISE)
