"""Spectral normalisation against linear algebra, and the folded resampling against the plain way."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from components.bigbigan.spectral_norm import (
    DownsampleConv2d,
    SpectralConv2d,
    SpectralLinear,
    UpsampleConv2d,
    copy_vectors,
    power_iteration,
)

LAYERS = {
    "linear": lambda: SpectralLinear(7, 5),
    "convolution": lambda: SpectralConv2d(3, 4, 3),
    "upsampling": lambda: UpsampleConv2d(3, 4),
    "downsampling": lambda: DownsampleConv2d(3, 4),
}
INPUTS = {name: (2, 7) if name == "linear" else (2, 3, 6, 6) for name in LAYERS}


def layer_with_random_weight(name: str) -> nn.Module:
    """In float64. The initial weight is orthogonal: all its singular values are 1, and any direction is the largest."""
    torch.manual_seed(0)
    layer = LAYERS[name]().double()
    with torch.no_grad():
        layer.weight.normal_(std=3.0)
        layer.bias.normal_()
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_after_some_iterations_the_largest_singular_value_is_1(name):
    layer = layer_with_random_weight(name)
    power_iteration(layer, steps=400)
    largest = torch.linalg.matrix_norm(layer.normalised_weight().flatten(1), ord=2)
    torch.testing.assert_close(largest, torch.ones_like(largest), rtol=1e-6, atol=0)
    sigma = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
    torch.testing.assert_close(layer.weight / sigma, layer.normalised_weight(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_each_iteration_comes_nearer_to_the_largest_singular_value_from_below(name):
    layer = layer_with_random_weight(name)
    estimates = []
    for _ in range(20):
        power_iteration(layer)
        estimates.append((layer.weight / layer.normalised_weight()).mean().item())
    largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
    assert all(before <= after + 1e-9 for before, after in itertools.pairwise(estimates))
    assert estimates[-1] <= largest + 1e-9


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_a_forward_pass_has_no_side_effect_and_an_iteration_has(name, training):
    layer = layer_with_random_weight(name).train(training)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    x = torch.randn(INPUTS[name], dtype=torch.float64)
    assert torch.equal(layer(x), layer(x))
    layer(x).sum().backward()
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())
    power_iteration(layer)
    assert not torch.equal(layer.u, before["u"])
    assert not torch.equal(layer.v, before["v"])
    assert torch.equal(layer.weight, before["weight"])


def test_power_iteration_reaches_every_layer_inside():
    network = nn.Sequential(LAYERS["convolution"](), nn.Sequential(LAYERS["upsampling"](), nn.Linear(2, 2)))
    with torch.no_grad():
        for layer in (network[0], network[1][0]):
            layer.weight.normal_()
    before = [network[0].u.clone(), network[1][0].u.clone()]
    power_iteration(network)
    assert not torch.equal(network[0].u, before[0])
    assert not torch.equal(network[1][0].u, before[1])


def test_a_new_layer_has_an_orthogonal_weight_that_is_normalised_already():
    for name in ("linear", "convolution"):
        layer = LAYERS[name]()
        matrix = layer.weight.flatten(1)
        torch.testing.assert_close(matrix @ matrix.t(), torch.eye(len(matrix)), rtol=0, atol=1e-5)
        torch.testing.assert_close(layer.normalised_weight(), layer.weight, rtol=0, atol=1e-5)
        assert not layer.bias.any()


@pytest.mark.parametrize("name", LAYERS)
def test_the_gradient_is_that_of_the_weight_over_sigma_with_u_and_v_fixed(name):
    """Miyato et al. 2018, equation 12: the gradient flows through sigma too."""
    layer = layer_with_random_weight(name)
    upstream = torch.randn(layer.weight.shape, dtype=torch.float64)
    (layer.normalised_weight() * upstream).sum().backward()
    matrix = layer.weight.detach().flatten(1)
    sigma = layer.u @ matrix @ layer.v
    through_sigma = (upstream.flatten(1) * matrix / sigma).sum() * torch.outer(layer.u, layer.v)
    expected = (upstream.flatten(1) - through_sigma) / sigma
    torch.testing.assert_close(layer.weight.grad.flatten(1), expected)


@pytest.mark.parametrize("name", LAYERS)
def test_the_gradients_are_those_of_finite_differences(name):
    layer = layer_with_random_weight(name)
    x = torch.randn(INPUTS[name], dtype=torch.float64, requires_grad=True)

    def of_weight(weight: torch.Tensor, bias: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(of_weight, (layer.weight, layer.bias, x), fast_mode=True)


def test_the_vectors_of_near_weights_are_a_better_start_than_a_random_one():
    torch.manual_seed(0)
    learnt, warm, cold = (nn.Sequential(SpectralLinear(300, 200, bias=False)) for _ in range(3))
    weight = torch.randn(200, 300)
    learnt[0].weight.data = weight
    warm[0].weight.data = cold[0].weight.data = weight + 0.01 * torch.randn(200, 300)
    power_iteration(learnt, 500)
    copy_vectors(learnt, warm)
    exact = torch.linalg.matrix_norm(warm[0].weight, 2).item()
    errors = []
    for network in (warm, cold):
        power_iteration(network, 20)
        layer = network[0]
        errors.append(exact - (layer.u @ layer.weight @ layer.v).item())
    assert errors[0] < 0.1 * errors[1]


# ------------------------------------------------------------------------------------------ folded resampling


def plain_up(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    x = F.interpolate(x, scale_factor=2.0, mode="nearest")
    return F.conv2d(x, layer.normalised_weight(), layer.bias, padding=1)


def plain_down(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(F.conv2d(x, layer.normalised_weight(), layer.bias, padding=1), 2)


@pytest.mark.parametrize(("name", "plain"), [("upsampling", plain_up), ("downsampling", plain_down)])
@pytest.mark.parametrize(("height", "width"), [(2, 2), (8, 8), (7, 7), (6, 9), (3, 2)])
def test_folded_resampling_is_the_plain_way_in_values_and_gradients(name, plain, height, width):
    layer = layer_with_random_weight(name)
    x = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    inputs = (x, layer.weight, layer.bias)
    folded, expected = layer(x), plain(layer, x)
    assert folded.shape == expected.shape
    torch.testing.assert_close(folded, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad(folded, inputs, upstream), torch.autograd.grad(expected, inputs, upstream), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)
