"""What each loss is computed of. The traps are mistakes that are easily made in this method, each held by a test."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.parameters import Objective, Recipe
from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size
from components.train.augmentation import augment
from components.train.draws import Draws, step_draws
from components.train.evaluation_copy import evaluation_copy
from components.train.loss import DiscriminatorLoss, GeneratorEncoderLoss
from tests.unit.train.toy import in_double, make_images, make_recipe, make_state, pixels, run

EXACTLY = {"rtol": 1e-11, "atol": 1e-13}
LOSSES = {"discriminator": DiscriminatorLoss, "generator_encoder": GeneratorEncoderLoss}
OBJECTIVE = Objective("hinge", False, 0.0, 0.0, 0.0, 0.0)


class Case:
    """A method in float64 with a batch and its draws, everything able to learn."""

    def __init__(self, method: str, **changes: object) -> None:
        self.recipe: Recipe = make_recipe(method, {"train.batch_size": 6} | changes)
        self.networks: Networks = make_state(self.recipe, torch.float64, started=True).networks.train()
        self.images = pixels(6, self.recipe.image.size, torch.float64)
        self.draws: Draws = in_double(step_draws(self.recipe, 0, 0))

    def loss(self, name: str, objective: Objective | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        module = LOSSES[name](
            self.networks, objective or self.recipe.objective, self.recipe.augmentation.generated, "fp32"
        )
        loss: tuple[Tensor, dict[str, Tensor]] = module(self.images, self.draws)
        return loss

    def gradient(self, loss: Tensor, network: str) -> list[Tensor]:
        parameters = list(getattr(self.networks, network).parameters())
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
        return list(found)

    @property
    def view(self) -> Tensor:
        return augment(self.images, self.draws.data_views)

    def inputs_of_d(self) -> tuple[Tensor, Tensor]:
        """All images, then all latents, that D is shown in its own step, call by call."""
        shown: list[tuple[Tensor, Tensor]] = []
        handle = self.networks.discriminator.register_forward_pre_hook(lambda module, inputs: shown.append(inputs))
        self.loss("discriminator")
        handle.remove()
        self.calls_of_d = len(shown)
        return tuple(torch.cat(part) if part[0] is not None else None for part in zip(*shown, strict=True))


# -------------------------------------------------------------------------------------------- the formulas


def scores(case: Case) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """D's scores of real and generated pairs, asked for one kind after the other."""
    networks, draws = case.networks, case.draws
    generated = augment(networks.generator(draws.latents), draws.generated_views)
    encoded = None if networks.encoder is None else networks.encoder(case.view, draws.encoder_noise)
    d = networks.discriminator
    return d(case.view, encoded).terms(), d(generated, draws.latents).terms()


@pytest.mark.parametrize("method", ["BigBiGAN", "no unaries", "x unary only", "z unary only", "GAN"])
@pytest.mark.parametrize("average", [False, True])
def test_ds_loss_is_equation_3_with_each_score_hinged_by_itself(method: str, average: bool) -> None:
    """Also the trap `the sum hinged`."""
    case = Case(method, **{"objective.average_scores": average})
    data, generated = scores(case)
    terms = [
        (1 - data[name]).clamp(min=0).mean() + (1 + generated[name]).clamp(min=0).mean()
        for name in case.recipe.model.discriminator.scores
    ]
    loss, numbers = case.loss("discriminator")
    torch.testing.assert_close(loss, sum(terms) / (len(terms) if average else 1), **EXACTLY)
    for name, term in zip(case.recipe.model.discriminator.scores, terms, strict=True):
        torch.testing.assert_close(numbers[f"loss_{name}"], term, **EXACTLY)
    hinged_sum = (1 - sum(data.values())).clamp(min=0).mean() + (1 + sum(generated.values())).clamp(min=0).mean()
    assert len(terms) == 1 or not torch.isclose(hinged_sum, sum(terms))


@pytest.mark.parametrize("method", ["BigBiGAN", "no unaries", "GAN"])
def test_the_loss_of_e_and_g_is_equation_2_without_a_hinge(method: str) -> None:
    case = Case(method)
    data, generated = scores(case)
    expected = sum(data[name].mean() - generated[name].mean() for name in data)
    torch.testing.assert_close(case.loss("generator_encoder")[0], expected, **EXACTLY)


def test_one_hinge_over_the_sum() -> None:
    case = Case("hinge of the sum")
    data, generated = (sum(terms.values()) for terms in scores(case))
    expected = (1 - data).clamp(min=0).mean() + (1 + generated).clamp(min=0).mean()
    torch.testing.assert_close(case.loss("discriminator")[0], expected, **EXACTLY)
    torch.testing.assert_close(case.loss("generator_encoder")[0], (data - generated).mean(), **EXACTLY)


@pytest.mark.parametrize("method", ["BiGAN", "ALI"])
def test_softplus_is_the_cross_entropy_of_d_and_of_its_opposite(method: str) -> None:
    case = Case(method)
    data, generated = (terms["joint"].sigmoid() for terms in scores(case))
    d = -data.log().mean() - (1 - generated).log().mean()
    opposite = -(1 - data).log().mean() - generated.log().mean()
    torch.testing.assert_close(case.loss("discriminator")[0], d, **EXACTLY)
    torch.testing.assert_close(case.loss("generator_encoder")[0], opposite, **EXACTLY)


def test_scores_and_accuracies_are_logged_by_term() -> None:
    case = Case("BigBiGAN")
    data, generated = scores(case)
    for name in LOSSES:
        _, numbers = case.loss(name)
        assert not any(value.requires_grad for value in numbers.values())
        for term in data:
            torch.testing.assert_close(numbers[f"score_{term}_data"], data[term].mean(), **EXACTLY)
            torch.testing.assert_close(numbers[f"score_{term}_generated"], generated[term].mean(), **EXACTLY)
            right = int((data[term] > 0).sum()) + int((generated[term] < 0).sum())
            assert float(numbers[f"accuracy_{term}"]) == pytest.approx(right / 12)


@pytest.mark.parametrize(("name", "power"), [("l1", 1), ("l2", 2)])
def test_an_autoencoder_learns_from_the_error_of_its_pixels(name: str, power: int) -> None:
    case = Case(f"autoencoder {name}")
    reconstructed = case.networks.generator(case.networks.encoder(case.view, case.draws.encoder_noise))
    expected = (case.view - reconstructed).abs().pow(power).mean()
    loss, numbers = case.loss("generator_encoder")
    torch.testing.assert_close(loss, expected, **EXACTLY)
    torch.testing.assert_close(numbers[f"loss_reconstruction_{name}"], expected.detach(), **EXACTLY)
    for network in ("generator", "encoder"):
        for found, right in zip(case.gradient(loss, network), case.gradient(expected, network), strict=True):
            assert right.abs().sum() > 0
            torch.testing.assert_close(found, right, **EXACTLY)


def regression(case: Case) -> Tensor:
    """The cross-entropy of z and E(G(z)), both taken from (-1, 1) to (0, 1)."""
    z, networks = case.draws.latents, case.networks
    found = networks.encoder(networks.generator(z), torch.zeros_like(z))
    p, q = (1 + z) / 2, (1 + found) / 2
    return -(p * q.log() + (1 - p) * (1 - q).log()).mean()


@pytest.mark.parametrize(("of_e", "of_g"), [(1.0, 0.0), (2.0, 0.0), (1.0, 0.25), (2.0, 3.0)])
def test_g_gets_its_own_share_of_the_gradient_of_latent_regression(of_e: float, of_g: float) -> None:
    case = Case("latent regressor")
    objective = Objective("softplus", False, of_e, of_g, 0.0, 0.0)
    loss, numbers = case.loss("generator_encoder", objective)
    adversarial, _ = case.loss("generator_encoder", Objective("softplus", False, 0.0, 0.0, 0.0, 0.0))
    error = regression(case)
    torch.testing.assert_close(numbers["loss_latent_regression"], error.detach(), **EXACTLY)
    torch.testing.assert_close(loss, adversarial + of_e * error, **EXACTLY)

    without, of_error = case.gradient(adversarial, "generator"), case.gradient(error, "generator")
    for found, alone, more in zip(case.gradient(loss, "generator"), without, of_error, strict=True):
        assert more.abs().sum() > 0
        torch.testing.assert_close(found, alone + of_g * more, **EXACTLY)
        if of_g == 0:
            assert torch.equal(found, alone)
    for found, right in zip(case.gradient(loss, "encoder"), case.gradient(error, "encoder"), strict=True):
        assert right.abs().sum() > 0
        torch.testing.assert_close(found, of_e * right, **EXACTLY)


def test_without_bounds_the_error_of_latent_regression_is_squared() -> None:
    case = Case(
        "latent regressor",
        **{"model.encoder.output": "linear", "model.latent.distribution": "normal"},
    )
    z, networks = case.draws.latents, case.networks
    expected = (networks.encoder(networks.generator(z), torch.zeros_like(z)) - z).square().mean()
    _, numbers = case.loss("generator_encoder")
    torch.testing.assert_close(numbers["loss_latent_regression"], expected.detach(), **EXACTLY)


def test_terms_add_up_with_their_weights() -> None:
    case = Case("BigBiGAN")
    alone = [case.loss("generator_encoder")[0]]
    for key in ("latent_regression_encoder", "reconstruction_l1", "reconstruction_l2"):
        alone.append(case.loss("generator_encoder", replace(OBJECTIVE, **{key: 1.0}))[0] - alone[0])
    all_of_them = replace(OBJECTIVE, latent_regression_encoder=2.0, reconstruction_l1=3.0, reconstruction_l2=5.0)
    expected = alone[0] + 2 * alone[1] + 3 * alone[2] + 5 * alone[3]
    torch.testing.assert_close(case.loss("generator_encoder", all_of_them)[0], expected, **EXACTLY)


# ------------------------------------------------------------------------------------------ what D is shown


def test_d_gets_both_kinds_of_pairs_at_once() -> None:
    case = Case("BigBiGAN")
    images, latents = case.inputs_of_d()
    networks, draws = case.networks, case.draws
    generated = augment(networks.generator(draws.latents), draws.generated_views)
    encoded = networks.encoder(case.view, draws.encoder_noise)
    assert case.calls_of_d == 1
    torch.testing.assert_close(images, torch.cat([case.view, generated]), **EXACTLY)
    torch.testing.assert_close(latents, torch.cat([encoded, draws.latents]), **EXACTLY)


@pytest.mark.parametrize("method", ["BiGAN", "ALI"])
def test_a_d_that_normalises_batches_gets_real_and_generated_pairs_apart(method: str) -> None:
    case = Case(method)
    images, _ = case.inputs_of_d()
    assert case.calls_of_d == 2
    torch.testing.assert_close(images[:6], case.view, **EXACTLY)


def test_generated_images_are_shown_as_they_are_where_the_recipe_says_so() -> None:
    case = Case("BigBiGAN", **{"augmentation.generated": False})
    images, _ = case.inputs_of_d()
    torch.testing.assert_close(images[6:], case.networks.generator(case.draws.latents), **EXACTLY)


def test_a_gan_without_e_shows_d_no_latents() -> None:
    case = Case("GAN")
    assert case.inputs_of_d()[1] is None


def test_e_is_not_asked_where_nothing_needs_it() -> None:
    case = Case("latent regressor")
    case.networks.encoder.register_forward_pre_hook(lambda module, inputs: pytest.fail("E was asked"))
    case.loss("discriminator")


def test_an_autoencoder_draws_no_samples() -> None:
    case = Case("autoencoder l2")
    shown: list[Tensor] = []
    case.networks.generator.register_forward_pre_hook(lambda module, inputs: shown.append(inputs[0]))
    case.loss("generator_encoder")
    assert len(shown) == 1
    assert not torch.equal(shown[0], case.draws.latents)


# ------------------------------------------------------------------------------------------------ the traps


class Unlabelled(Split):
    """Images whose labels must not be looked at."""

    @property
    def labels(self) -> None:  # type: ignore[override]
        raise AssertionError("training looked at the labels")


def test_trap_labels_fed_to_g(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Tensor, ...]] = []
    images = Unlabelled.__new__(Unlabelled)
    object.__setattr__(images, "shards", make_images().shards)
    with pytest.raises(AssertionError, match="looked at the labels"):
        _ = images.labels
    monkeypatch.setattr("tests.unit.train.toy.make_images", lambda size: images)
    recipe = make_recipe(changes={"train.steps": 1})
    run(tmp_path / "run", recipe)
    evaluation_copy(make_state(recipe), images, recipe, batches=1)

    case = Case("BigBiGAN")
    case.networks.generator.register_forward_pre_hook(lambda module, inputs: shown.append(inputs))
    case.loss("discriminator")
    assert len(shown) == 1
    assert len(shown[0]) == 1
    assert torch.equal(shown[0][0], case.draws.latents)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("method", ["BigBiGAN", "ALI"])
def test_trap_the_noise_of_e_forgotten(method: str, name: str) -> None:
    case = Case(method)
    shown: list[Tensor] = []
    case.networks.discriminator.register_forward_pre_hook(lambda module, inputs: shown.append(inputs[1]))
    case.loss(name)
    mu, sigma = case.networks.encoder.distribution(case.networks.encoder.features(case.view))
    sigma_hat = case.networks.encoder.sigma_hat
    assert sigma_hat is not None
    assert sigma.min() > 0
    torch.testing.assert_close(shown[0][:6], mu + sigma * case.draws.encoder_noise, **EXACTLY)


def test_a_deterministic_e_has_no_noise() -> None:
    case = Case("deterministic E")
    before = case.loss("generator_encoder")[0]
    case.draws = replace(case.draws, encoder_noise=case.draws.encoder_noise + 1)
    assert torch.equal(case.loss("generator_encoder")[0], before)


def test_trap_gradients_of_d_let_into_e_and_g() -> None:
    """In D's step what D is shown belongs to no graph, so that no work goes into a gradient of E or G either."""
    case = Case("BigBiGAN")
    case.networks.requires_grad_(False)
    case.networks.discriminator.requires_grad_(True)
    shown: list[Tensor] = []
    case.networks.discriminator.register_forward_pre_hook(lambda module, inputs: shown.extend(inputs))
    loss, _ = case.loss("discriminator")
    assert loss.requires_grad
    assert [tensor.requires_grad for tensor in shown] == [False, False]


def test_trap_an_average_of_g_alone(tmp_path: Path) -> None:
    recipe = make_recipe()
    state = run(tmp_path / "run", recipe)
    assert state.averaged.keys() == {"generator", "encoder"}
    evaluated = evaluation_copy(state, make_images(), recipe, batches=2)
    for network, averaged in state.averaged.items():
        present, copied = getattr(state.networks, network), getattr(evaluated, network)
        for mean, weight, used in zip(*(n.parameters() for n in (averaged, present, copied)), strict=True):
            assert not torch.equal(mean, weight)
            assert torch.equal(mean, used)


def test_trap_batch_norm_in_training_mode_at_evaluation() -> None:
    recipe = make_recipe()
    networks = evaluation_copy(make_state(recipe), make_images(), recipe, batches=2)
    images, z = pixels(5), torch.randn(5, 4)
    for whole, one in (
        (networks.encoder.features(images), networks.encoder.features(images[:1])),
        (networks.generator(z), networks.generator(z[:1])),
    ):
        torch.testing.assert_close(whole[:1], one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["shift", "crop"])
@pytest.mark.parametrize(("of_e", "of_g"), [(16, 16), (16, 8), (8, 16), (8, 8)], ids=lambda size: str(size))
def test_trap_e_and_d_shown_different_views(kind: str, of_e: int, of_g: int) -> None:
    """Of a dataset of 16 px each sees the same view, averaged to its own resolution (appendix: D that of 128 px)."""
    views = {"kind": "shift", "shift": 3, "flip": True, "generated": False}
    if kind == "crop":
        views = {"kind": "crop", "minimum_area": 0.2, "aspect": 4 / 3, "flip": True, "generated": False}
    case = Case(
        "BigBiGAN",
        **{
            "image.size": 16,
            "augmentation": views,
            "model.encoder.image_size": of_e,
            "model.generator.image_size": of_g,
            "model.generator.attention_resolution": 0,
            "model.discriminator.attention_resolution": 0,
        },
    )
    trunk: list[Tensor] = []
    case.networks.encoder.trunk.register_forward_pre_hook(lambda module, inputs: trunk.append(inputs[0]))
    images, _ = case.inputs_of_d()
    assert not torch.equal(case.view, case.images)
    assert images.shape == (12, 1, of_g, of_g)
    torch.testing.assert_close(images[:6], F.avg_pool2d(case.view, 16 // of_g), **EXACTLY)
    torch.testing.assert_close(trunk[0], F.avg_pool2d(case.view, 16 // of_e), **EXACTLY)
    if of_e == 2 * of_g:
        torch.testing.assert_close(images[:6], at_size(trunk[0], of_g), **EXACTLY)


def test_an_autoencoder_compares_at_the_resolution_of_g() -> None:
    case = Case("autoencoder l1", **{"image.size": 16, "augmentation.generated": False})
    reconstructed = case.networks.generator(case.networks.encoder(case.view, case.draws.encoder_noise))
    expected = (F.avg_pool2d(case.view, 2) - reconstructed).abs().mean()
    torch.testing.assert_close(case.loss("generator_encoder")[0], expected, **EXACTLY)
