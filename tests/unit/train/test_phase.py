from collections.abc import Callable

import pytest
import torch

from components.artifacts.errors import UserError
from components.artifacts.parameters import Latent, Train
from components.bigbigan.discriminator import Discriminator
from components.train.augmentation import augment
from components.train.draws import Draws, step_draws
from components.train.phase import phases, run_phase, score_pairs
from components.train.state import State


@pytest.fixture
def draws(train_parameters: Train, latent: Latent) -> Draws:
    return step_draws(0, 0, 0, 4, latent, train_parameters.augmentation)


def weights(state: State) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in state.networks.named_parameters()}


def test_a_step_is_d_some_times_then_g_and_e_together(make_state: Callable[..., State]) -> None:
    assert [phase.name for phase in phases(make_state(), 3)] == ["discriminator"] * 3 + ["generator_encoder"]


@pytest.mark.parametrize(
    ("phase_index", "learning"), [(0, {"discriminator"}), (1, {"generator", "encoder"})], ids=["D", "G+E"]
)
def test_gradients_reach_exactly_who_learns(
    make_state: Callable[..., State], draws: Draws, phase_index: int, learning: set[str]
) -> None:
    state = make_state()
    # gamma, at its start, keeps everything in self-attention from learning but itself.
    for module in state.networks.modules():
        if hasattr(module, "gamma"):
            torch.nn.init.constant_(module.gamma, 0.5)
        # Where no score leaves the margin of the hinge, what data and generated pairs do to a score's bias cancels.
        if isinstance(module, Discriminator):
            for score in (module.image_score, module.latent_score, module.joint_score):
                torch.nn.init.constant_(score.bias, 5.0)
    before = weights(state)
    run_phase(phases(state, 1)[phase_index], state.networks, torch.rand(4, 1, 8, 8), draws, True, lr=0.01, step=0)
    for name, parameter in state.networks.named_parameters():
        if name.split(".")[0] in learning:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
            assert not torch.equal(parameter, before[name]), name
        else:
            assert parameter.grad is None, name
            assert torch.equal(parameter, before[name]), name


def test_each_group_has_its_own_rate(make_state: Callable[..., State], draws: Draws, train_parameters: Train) -> None:
    state = make_state()
    run_phase(phases(state, 1)[1], state.networks, torch.rand(4, 1, 8, 8), draws, True, lr=0.1, step=0)
    rates = [group["lr"] for group in state.generator_encoder_optimiser.param_groups]
    assert rates == pytest.approx([0.1 * train_parameters.generator_lr_ratio, 0.1 * train_parameters.encoder_lr_ratio])


def test_the_power_iteration_runs_once_for_who_learns_and_never_for_who_does_not(
    make_state: Callable[..., State], draws: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = make_state()
    iterated = []
    monkeypatch.setattr("components.train.phase.power_iteration", iterated.append)
    run_phase(phases(state, 1)[0], state.networks, torch.rand(4, 1, 8, 8), draws, True, lr=0.1, step=0)
    assert iterated == [state.networks.discriminator]


@pytest.mark.parametrize("phase_index", [0, 1], ids=["D", "G+E"])
def test_what_is_not_finite_stops_before_a_weight_changes(
    make_state: Callable[..., State], draws: Draws, phase_index: int
) -> None:
    state = make_state()
    before = weights(state)
    images = torch.full((4, 1, 8, 8), float("nan"))
    with pytest.raises(UserError, match=r"step 17: .*loss_image = nan.*last checkpoint stands.*train\.lr"):
        run_phase(phases(state, 1)[phase_index], state.networks, images, draws, True, lr=0.01, step=17)
    assert all(torch.equal(value, before[name]) for name, value in state.networks.named_parameters())


def test_a_gradient_that_overflows_stops_too(make_state: Callable[..., State], draws: Draws) -> None:
    state = make_state()
    state.networks.discriminator.joint_score.weight.register_hook(lambda gradient: gradient * float("inf"))
    before = weights(state)
    with pytest.raises(UserError, match=r"gradient_norm = (inf|nan)"):
        run_phase(phases(state, 1)[0], state.networks, torch.rand(4, 1, 8, 8), draws, True, lr=0.01, step=2)
    assert all(torch.equal(value, before[name]) for name, value in state.networks.named_parameters())


def test_e_and_d_see_the_same_view_and_d_sees_generated_images_through_their_own(
    make_state: Callable[..., State], draws: Draws
) -> None:
    networks = make_state().networks
    seen: dict[str, torch.Tensor] = {}
    networks.encoder.register_forward_pre_hook(lambda module, inputs: seen.update(encoder=inputs[0]))
    networks.discriminator.register_forward_pre_hook(lambda module, inputs: seen.update(discriminator=inputs[0]))
    networks.generator.register_forward_hook(lambda module, inputs, output: seen.update(generated=output))
    images = torch.rand(4, 1, 8, 8)
    score_pairs(networks, images, draws, augment_generated=True)
    assert torch.equal(seen["encoder"], augment(images, draws.data_views))
    assert torch.equal(seen["discriminator"][:4], seen["encoder"])
    assert torch.equal(seen["discriminator"][4:], augment(seen["generated"], draws.generated_views))
    score_pairs(networks, images, draws, augment_generated=False)
    assert torch.equal(seen["discriminator"][4:], seen["generated"])
