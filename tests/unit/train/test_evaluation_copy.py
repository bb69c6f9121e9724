from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from components.artifacts.parameters import Recipe
from components.bigbigan.batch_norm import BatchNorm
from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size, to_float
from components.train.draws import image_indices, standing_latents
from components.train.evaluation_copy import evaluation_copy
from components.train.state import State, average
from tests.unit.train.toy import METHODS, make_images, make_recipe, make_state, same

BATCHES = 3
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def state_that_learnt(recipe: Recipe) -> State:
    """Whose averaged weights are neither the first ones nor those of training."""
    state = make_state(recipe, started=True)
    with torch.no_grad():
        for parameter in state.networks.parameters():
            parameter.mul_(1.3)
    average(state, 0.5)
    return state


def copy_of(state: State, recipe: Recipe) -> Networks:
    return evaluation_copy(state, make_images(recipe.image.size), recipe, BATCHES)


def real(recipe: Recipe) -> list[Tensor]:
    """The first batches, as training reads them, unaugmented."""
    images, size = make_images(recipe.image.size), recipe.train.batch_size
    indices = [image_indices(recipe.train.seed, len(images), batch * size, size) for batch in range(BATCHES)]
    return [to_float(images.images(which)) for which in indices]


def first_norm(network: nn.Module) -> BatchNorm:
    return next(layer for layer in network.modules() if isinstance(layer, BatchNorm))


def statistics_of(network: nn.Module, ask: Callable[[], object]) -> tuple[Tensor, Tensor]:
    """The mean and variance, over batches, of what the first batch normalisation of `network` gets."""
    seen: list[Tensor] = []
    handle = first_norm(network).register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        ask()
    handle.remove()
    axes = [0, *range(2, seen[0].dim())]
    means, variances = [x.mean(axes) for x in seen], [x.var(axes) for x in seen]
    return torch.stack(means).mean(0), torch.stack(variances).mean(0)


def assert_statistics(network: nn.Module, ask: Callable[[], object]) -> None:
    mean, variance = statistics_of(network, ask)
    norm = first_norm(network)
    torch.testing.assert_close(norm.running_mean, mean, **CLOSE)
    torch.testing.assert_close(norm.running_var, variance, **CLOSE)
    assert norm.num_batches_tracked == BATCHES


@pytest.mark.parametrize("method", METHODS)
def test_training_is_not_touched_and_all_is_in_eval_mode(method: str) -> None:
    recipe = make_recipe(method)
    state, other = state_that_learnt(recipe), state_that_learnt(recipe)
    state.networks.train()
    networks = copy_of(state, recipe)
    assert same(state, other)
    assert state.networks.training
    mine, theirs = (
        {tensor.data_ptr() for tensor in module.state_dict().values()} for module in (networks, state.networks)
    )
    assert not mine & theirs
    assert not any(module.training for module in networks.modules())
    assert not any(layer.collects for layer in networks.modules() if isinstance(layer, BatchNorm))
    assert all(layer.num_batches_tracked > 0 for layer in networks.modules() if isinstance(layer, BatchNorm))


def test_g_and_e_are_the_averaged_ones_and_d_as_it_is() -> None:
    recipe = make_recipe()
    state = state_that_learnt(recipe)
    networks = copy_of(state, recipe)
    for network, source in (
        (networks.generator, state.averaged["generator"]),
        (networks.encoder, state.averaged["encoder"]),
        (networks.discriminator, state.networks.discriminator),
    ):
        for found, expected in zip(network.parameters(), source.parameters(), strict=True):
            assert torch.equal(found, expected)


def test_the_spectral_norms_of_averaged_weights_are_exact() -> None:
    recipe = make_recipe()
    networks = copy_of(state_that_learnt(recipe), recipe)
    layer = networks.generator.to_image
    largest = torch.linalg.matrix_norm(layer.normalised_weight().flatten(1), 2)
    assert float(largest) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("method", ["BigBiGAN", "GAN", "latent regressor"])
def test_g_gets_its_statistics_from_the_prior(method: str) -> None:
    recipe = make_recipe(method)
    networks = copy_of(state_that_learnt(recipe), recipe)
    seed, size, latent = recipe.train.seed, recipe.train.batch_size, recipe.model.latent
    latents = [standing_latents(seed, batch, size, latent) for batch in range(BATCHES)]
    assert_statistics(networks.generator, lambda: [networks.generator(z) for z in latents])


@pytest.mark.parametrize("method", ["BigBiGAN", "ALI", "autoencoder l2"])
def test_e_gets_its_statistics_from_train_images(method: str) -> None:
    recipe = make_recipe(method)
    networks = copy_of(state_that_learnt(recipe), recipe)
    assert_statistics(networks.encoder, lambda: [networks.encoder.features(x) for x in real(recipe)])


@pytest.mark.parametrize("method", ["autoencoder l1", "autoencoder l2"])
def test_the_g_of_an_autoencoder_gets_its_statistics_from_what_e_says(method: str) -> None:
    recipe = make_recipe(method)
    networks = copy_of(state_that_learnt(recipe), recipe)
    zeros = torch.zeros(recipe.train.batch_size, recipe.model.latent.size)
    codes = [networks.encoder(x, zeros) for x in real(recipe)]
    assert_statistics(networks.generator, lambda: [networks.generator(z) for z in codes])


@pytest.mark.parametrize("method", ["BiGAN", "ALI"])
def test_a_d_that_normalises_batches_gets_its_statistics_from_real_pairs(method: str) -> None:
    recipe = make_recipe(method)
    networks = copy_of(state_that_learnt(recipe), recipe)
    zeros, size = torch.zeros(recipe.train.batch_size, recipe.model.latent.size), recipe.model.generator.image_size
    pairs = [(at_size(x, size), networks.encoder(x, zeros)) for x in real(recipe)]
    assert_statistics(networks.discriminator, lambda: [networks.discriminator(*pair) for pair in pairs])


def test_d_sees_real_pairs_at_the_resolution_of_g() -> None:
    recipe = make_recipe("BiGAN", {"image.size": 16, "augmentation.generated": False})
    networks = copy_of(state_that_learnt(recipe), recipe)
    assert first_norm(networks.discriminator).num_batches_tracked == BATCHES


def test_the_same_state_gives_the_same_bits() -> None:
    recipe = make_recipe()
    first, second = (copy_of(state_that_learnt(recipe), recipe).state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_picture_needs_no_memory_of_recomputation() -> None:
    recipe = make_recipe(changes={"train.recompute_activations": True})
    kept = copy_of(state_that_learnt(make_recipe()), make_recipe()).state_dict()
    found = copy_of(state_that_learnt(recipe), recipe).state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in found.items())


def test_the_averaged_weights_get_their_spectral_norms_from_the_vectors_of_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = make_recipe()
    state = state_that_learnt(recipe)
    for name, buffer in state.networks.named_buffers():
        if name.endswith((".u", ".v")):
            buffer.mul_(-1.0)  # as good as before, and not what a copy has by itself
    monkeypatch.setattr("components.train.evaluation_copy.power_iteration", lambda networks, steps: None)
    copied, live = (dict(networks.named_buffers()) for networks in (copy_of(state, recipe), state.networks))
    vectors = [name for name in live if name.endswith((".u", ".v"))]
    assert len(vectors) > 10
    assert all(torch.equal(copied[name], live[name]) for name in vectors)
