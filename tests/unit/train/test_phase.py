"""Who learns from a batch, how the gradient is made up of parts, and what stops a step."""

import pytest
import torch
from torch import Tensor

from components.artifacts.errors import UserError
from components.artifacts.parameters import Recipe
from components.bigbigan.batch_norm import BatchNorm
from components.bigbigan.spectral_norm import power_iteration
from components.train import loop
from components.train.draws import image_indices, step_draws
from components.train.phase import Phase, apply, backward, phases
from components.train.state import State
from tests.unit.train.toy import (
    ALONE,
    METHODS,
    MONITORING,
    gradients,
    in_double,
    make_images,
    make_recipe,
    make_state,
    pixels,
    weights,
)

CASES = [
    (method, name)
    for method in METHODS
    for name in ("discriminator", "generator_encoder")
    if name == "generator_encoder" or not method.startswith("autoencoder")
]
FP64 = {"rtol": 1e-11, "atol": 1e-13}


def phase_named(name: str, state: State, recipe: Recipe) -> Phase:
    return next(phase for turn in phases(state, recipe, ALONE) for phase in turn if phase.name == name)


def learn(name: str, state: State, recipe: Recipe, images: Tensor | None = None, parts: int = 1) -> dict[str, Tensor]:
    """One phase of the first step, without the optimiser's step."""
    count = recipe.train.batch_size
    draws = step_draws(recipe, 0, 0)
    dtype = next(state.networks.parameters()).dtype
    if dtype == torch.float64:
        draws = in_double(draws)
    images = pixels(count, recipe.image.size, dtype) if images is None else images
    phase = phase_named(name, state, recipe)
    return backward(phase, state.networks, images, draws, parts, ALONE, step=17)


def names(recipe: Recipe) -> list[list[str]]:
    return [[phase.name for phase in turn] for turn in phases(make_state(recipe), recipe, ALONE)]


def test_a_step_is_d_some_times_then_g_and_e_together() -> None:
    recipe = make_recipe(changes={"train.discriminator_steps": 3})
    assert names(recipe) == [["discriminator"]] * 3 + [["generator_encoder"]]


def test_simultaneously_all_learn_in_one_turn_and_without_d_g_and_e_alone() -> None:
    assert names(make_recipe("BiGAN")) == [["discriminator", "generator_encoder"]]
    assert names(make_recipe("autoencoder l2")) == [["generator_encoder"]]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_gradients_reach_exactly_who_learns(method: str, name: str) -> None:
    recipe = make_recipe(method, {"train.batch_size": 8})
    state = make_state(recipe, started=True)
    learning = {"discriminator"} if name == "discriminator" else {"generator", "encoder"}
    before = weights(state.networks)
    learn(name, state, recipe)
    for parameter, gradient in gradients(state.networks).items():
        if parameter.split(".")[0] in learning:
            assert gradient is not None, parameter
            assert gradient.abs().sum() > 0, parameter
        else:
            assert gradient is None, parameter
    apply(phase_named(name, state, recipe), lr=0.01)
    for parameter, value in state.networks.named_parameters():
        assert torch.equal(value, before[parameter]) == (parameter.split(".")[0] not in learning), parameter


def test_a_phase_replaces_its_own_gradients_and_leaves_those_of_the_other() -> None:
    recipe = make_recipe("BiGAN")  # without spectral norm, whose vectors move on
    state, once = make_state(recipe, started=True), make_state(recipe, started=True)
    for name in ("generator_encoder", "discriminator", "generator_encoder"):
        learn(name, state, recipe)
    for name in ("discriminator", "generator_encoder"):
        learn(name, once, recipe)
    expected = gradients(once.networks)
    for name, gradient in gradients(state.networks).items():
        assert gradient is not None
        assert torch.equal(gradient, expected[name]), name


def test_each_group_has_its_own_rate() -> None:
    recipe = make_recipe()
    state = make_state(recipe)
    learn("generator_encoder", state, recipe)
    apply(phase_named("generator_encoder", state, recipe), lr=0.1)
    rates = [group["lr"] for group in state.optimisers["generator_encoder"].param_groups]
    assert rates == pytest.approx([0.1 * recipe.train.generator_lr_ratio, 0.1 * recipe.train.encoder_lr_ratio])


@pytest.mark.parametrize("parts", [1, 2])
def test_the_power_iteration_runs_once_for_who_learns_however_many_parts_and_never_for_who_does_not(parts: int) -> None:
    recipe = make_recipe()
    state, expected = make_state(recipe), make_state(recipe)
    learn("discriminator", state, recipe, parts=parts)
    power_iteration(expected.networks.discriminator)
    start = make_state(recipe).networks.state_dict()
    vectors = [name for name in start if name.endswith((".u", ".v"))]
    assert any(not torch.equal(start[name], expected.networks.state_dict()[name]) for name in vectors)
    for name in vectors:
        assert torch.equal(state.networks.state_dict()[name], expected.networks.state_dict()[name]), name


@pytest.mark.parametrize("name", ["discriminator", "generator_encoder"])
def test_the_statistics_of_evaluation_are_not_touched(name: str) -> None:
    recipe = make_recipe()
    state = make_state(recipe)
    before = {name: value.clone() for name, value in state.networks.named_buffers() if "running" in name}
    learn(name, state, recipe, parts=2)
    assert len(before) > 4
    assert all(torch.equal(dict(state.networks.named_buffers())[name], value) for name, value in before.items())


@pytest.fixture
def no_batch_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch normalisation is what parts of a batch see differently; without it they make up the batch."""
    monkeypatch.setattr(BatchNorm, "forward", lambda self, x: x)


@pytest.mark.usefixtures("no_batch_norm")
@pytest.mark.parametrize(("method", "name"), CASES)
def test_the_gradient_of_parts_is_that_of_the_batch(method: str, name: str) -> None:
    recipe = make_recipe(method, {"train.batch_size": 8})
    found = []
    for parts in (1, 2, 4):
        state = make_state(recipe, torch.float64, started=True)
        numbers = learn(name, state, recipe, parts=parts)
        of_who_learns = {key: value for key, value in gradients(state.networks).items() if value is not None}
        found.append({key: value.double() for key, value in (numbers | of_who_learns).items()})
    for of_parts in found[1:]:
        torch.testing.assert_close(of_parts, found[0], **FP64)


def test_with_batch_norm_each_part_is_normalised_by_itself() -> None:
    recipe = make_recipe("autoencoder l2", {"train.batch_size": 8})
    whole, parts = (make_state(recipe, torch.float64) for _ in range(2))
    one = learn("generator_encoder", whole, recipe)["generator_encoder/loss_reconstruction_l2"]
    other = learn("generator_encoder", parts, recipe, parts=4)["generator_encoder/loss_reconstruction_l2"]
    assert one != other
    assert other == pytest.approx(float(one), rel=0.2)


def test_the_gradient_norm_is_that_of_who_learns() -> None:
    recipe = make_recipe()
    state = make_state(recipe)
    norm = learn("generator_encoder", state, recipe)["generator_encoder/gradient_norm"]
    squares = sum(
        float(gradient.square().sum()) for gradient in gradients(state.networks).values() if gradient is not None
    )
    assert float(norm) == pytest.approx(squares**0.5, rel=1e-5)


@pytest.mark.parametrize("name", ["discriminator", "generator_encoder"])
def test_what_is_not_finite_stops_before_a_weight_changes(name: str) -> None:
    recipe = make_recipe()
    state = make_state(recipe)
    before = weights(state.networks)
    images = torch.full((4, 1, 8, 8), float("nan"))
    with pytest.raises(UserError, match=r"step 17: .*loss_image = nan.*last checkpoint stands.*train\.lr"):
        learn(name, state, recipe, images)
    assert all(torch.equal(value, before[name]) for name, value in state.networks.named_parameters())


def test_a_part_that_is_not_finite_is_enough() -> None:
    recipe = make_recipe()
    images = pixels(4)
    images[0] = float("inf")
    with pytest.raises(UserError, match=r"step 17: .*loss_joint = nan"):
        learn("discriminator", make_state(recipe), recipe, images, parts=2)


def test_a_gradient_that_overflows_stops_too() -> None:
    recipe = make_recipe()
    state = make_state(recipe)
    state.networks.discriminator.joint_score.weight.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(UserError, match=r"gradient_norm = (inf|nan)"):
        learn("discriminator", state, recipe)


def test_simultaneously_both_gradients_are_taken_at_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared with the losses of Donahue et al. (2017), written out, at the first weights."""
    recipe = make_recipe("BiGAN", {"train.steps": 1, "augmentation.shift": 0, "augmentation.flip": False})
    state, at_start = make_state(recipe, torch.float64, started=True), make_state(recipe, torch.float64, started=True)
    taken: dict[str, dict[str, Tensor | None]] = {}

    def remember(phase: Phase, lr: float) -> None:
        learning = {id(parameter) for module in phase.learning for parameter in module.parameters()}
        for name, parameter in state.networks.named_parameters():
            if id(parameter) in learning:
                taken[name] = parameter.grad.clone()
        apply(phase, lr)

    monkeypatch.setattr(loop, "apply", remember)
    monkeypatch.setattr(loop, "step_draws", lambda *where: in_double(step_draws(*where)))
    monkeypatch.setattr("components.train.batches.to_float", to_double)
    hooks = loop.Hooks(save=lambda state: None, look=lambda state, log: None, stop_requested=lambda: False)
    loop.train(state, make_images(), recipe, MONITORING, ALONE, None, hooks)

    networks, draws = at_start.networks.train(), in_double(step_draws(recipe, 0, 0))
    x = to_double(torch.as_tensor(make_images().images(image_indices(recipe.train.seed, 14, 0, 4))))
    data = networks.discriminator(x, networks.encoder(x, draws.encoder_noise)).joint
    generated = networks.discriminator(networks.generator(draws.latents), draws.latents).joint
    discriminator_loss = -(data.sigmoid().log().mean() + (1 - generated.sigmoid()).log().mean())
    generator_encoder_loss = -((1 - data.sigmoid()).log().mean() + generated.sigmoid().log().mean())
    losses = {
        "discriminator": discriminator_loss,
        "generator": generator_encoder_loss,
        "encoder": generator_encoder_loss,
    }
    for part, loss in losses.items():
        parameters = dict(getattr(networks, part).named_parameters())
        expected = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True)
        for name, gradient in zip(parameters, expected, strict=True):
            torch.testing.assert_close(taken[f"{part}.{name}"], gradient, rtol=1e-9, atol=1e-12)


def to_double(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).double() / 127.5 - 1
