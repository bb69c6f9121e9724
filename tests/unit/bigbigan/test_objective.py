"""The losses against their formulae, pair by pair, and the direction in which each side pulls."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from components.bigbigan.discriminator.scores import Scores
from components.bigbigan.objective import (
    discriminator_terms,
    generator_encoder_terms,
    latent_regression,
    reconstruction_l1,
    reconstruction_l2,
    scale_gradient,
    total,
)

NAMES = ("image", "latent", "joint")
SUBSETS = [names for size in (1, 2, 3) for names in itertools.combinations(NAMES, size)]
ADVERSARIAL = ("hinge", "hinge_of_sum", "softplus")
LOSSES = pytest.mark.parametrize("loss", [discriminator_terms, generator_encoder_terms])


def scores(image: list[float] | None, latent: list[float] | None, joint: list[float] | None) -> Scores:
    def tensor(values: list[float] | None) -> Tensor | None:
        return None if values is None else torch.tensor(values, dtype=torch.float64, requires_grad=True)

    return Scores(tensor(image), tensor(latent), tensor(joint))


def drawn(names: tuple[str, ...], pairs: int, seed: int) -> dict[str, list[float]]:
    """On both sides of the hinge."""
    values = torch.randn(len(NAMES), pairs, generator=torch.Generator().manual_seed(seed)) * 2
    return {name: row for name, row in zip(NAMES, values.tolist(), strict=True) if name in names}


def as_scores(values: dict[str, list[float]]) -> Scores:
    return scores(*(values.get(name) for name in NAMES))


def plain(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in terms.items()}


# ----------------------------------------------------------------------------------- the formulae, pair by pair

HINGE = {True: lambda s: max(0.0, 1.0 - s), False: lambda s: max(0.0, 1.0 + s)}  # on data, on generated pairs
PROBABILITY_OF_DATA = {True: lambda s: 1 / (1 + math.exp(-s)), False: lambda s: 1 - 1 / (1 + math.exp(-s))}


def d_by_pairs(values: dict[str, list[float]], on_data: bool, adversarial: str) -> dict[str, float]:
    """The mean over pairs of D's loss on one kind of them, by term."""
    pairs = len(next(iter(values.values())))
    if adversarial == "hinge_of_sum":
        values = {"sum": [sum(row[i] for row in values.values()) for i in range(pairs)]}
    means = {}
    for name, row in values.items():
        summed = 0.0
        for s in row:
            if adversarial == "softplus":
                summed += -math.log(PROBABILITY_OF_DATA[on_data](s))
            else:
                summed += HINGE[on_data](s)
        means[name] = summed / pairs
    return means


def ge_by_pairs(values: dict[str, list[float]], on_data: bool, adversarial: str) -> dict[str, float]:
    """The mean over pairs of the loss of E (on data) or of G (on generated pairs), by term."""
    means = {}
    for name, row in values.items():
        summed = 0.0
        for s in row:
            if adversarial == "softplus":
                summed += -math.log(1 - PROBABILITY_OF_DATA[on_data](s))
            else:
                summed += s if on_data else -s
        means[name] = summed / len(row)
    return means


@pytest.mark.parametrize(
    ("loss", "by_pairs"), [(discriminator_terms, d_by_pairs), (generator_encoder_terms, ge_by_pairs)]
)
@pytest.mark.parametrize("adversarial", ADVERSARIAL)
@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
@pytest.mark.parametrize("pairs", [(1, 1), (7, 7), (5, 3)])
def test_each_loss_is_the_mean_over_pairs_of_its_formula_term_by_term(loss, by_pairs, adversarial, names, pairs):
    data, generated = drawn(names, pairs[0], seed=0), drawn(names, pairs[1], seed=1)
    terms = plain(loss(as_scores(data), as_scores(generated), adversarial))
    on_data, on_generated = by_pairs(data, True, adversarial), by_pairs(generated, False, adversarial)
    expected = {name: on_data[name] + on_generated[name] for name in on_data}
    assert list(terms) == list(expected)
    assert terms == pytest.approx(expected, rel=1e-12, abs=1e-12)


DATA = ([3.0, 0.0], [-2.0, 0.5], [1.0, -1.0])
GENERATED = ([-3.0, 1.0], [0.0, 0.0], [-0.5, 2.0])


def test_d_hinges_each_term_for_itself():
    # image: data (max(0, 1-3) + max(0, 1-0)) / 2 = 0.5, generated (max(0, 1-3) + max(0, 1+1)) / 2 = 1; and so on.
    terms = discriminator_terms(scores(*DATA), scores(*GENERATED), "hinge")
    assert plain(terms) == {"image": 0.5 + 1.0, "latent": 1.75 + 1.0, "joint": 1.0 + 1.75}
    assert total(terms, average=False).item() == 7.0


def test_hinging_the_sum_is_not_hinging_each():
    # Image says +3, latent says -2: their sum, 2, leaves no loss; each for itself leaves 3, and teaches latent.
    kept, gradients = {}, {}
    for adversarial in ("hinge", "hinge_of_sum"):
        data, generated = scores([3.0], [-2.0], [1.0]), scores([-9.0], [-9.0], [-9.0])
        terms = discriminator_terms(data, generated, adversarial)
        total(terms, average=False).backward()
        kept[adversarial], gradients[adversarial] = plain(terms), data.latent.grad.item()
    assert kept == {"hinge": {"image": 0.0, "latent": 3.0, "joint": 0.0}, "hinge_of_sum": {"sum": 0.0}}
    assert gradients == {"hinge": -1.0, "hinge_of_sum": 0.0}


@pytest.mark.parametrize("adversarial", ["hinge", "hinge_of_sum"])
def test_e_and_g_have_no_hinge(adversarial):
    terms = generator_encoder_terms(scores(*DATA), scores(*GENERATED), adversarial)
    assert plain(terms) == {"image": 1.5 - -1.0, "latent": -0.75 - 0.0, "joint": 0.0 - 0.75}
    assert total(terms, average=False).item() == 1.0
    far = generator_encoder_terms(scores([50.0], [50.0], [50.0]), scores([-50.0], [-50.0], [-50.0]), adversarial)
    assert total(far, average=False).item() == 300.0


@LOSSES
def test_softplus_starts_at_ln_2_and_does_not_overflow(loss):
    zero = loss(scores(None, None, [0.0]), scores(None, None, [0.0]), "softplus")
    assert plain(zero) == pytest.approx({"joint": 2 * math.log(2)}, rel=1e-15)
    wrong = -1 if loss is discriminator_terms else 1
    far = loss(scores(None, None, [wrong * 1e4]), scores(None, None, [-wrong * 1e4]), "softplus")
    assert plain(far) == {"joint": 2e4}


@LOSSES
def test_an_unknown_loss_is_answered_with_the_known_ones(loss):
    with pytest.raises(ValueError, match="unknown adversarial loss 'wasserstein': hinge, hinge_of_sum and softplus"):
        loss(scores(*DATA), scores(*GENERATED), "wasserstein")


# ------------------------------------------------------------------------------------------------ who pulls where


@pytest.mark.parametrize(("loss", "data_goes"), [(discriminator_terms, "up"), (generator_encoder_terms, "down")])
@pytest.mark.parametrize("adversarial", ADVERSARIAL)
@pytest.mark.parametrize("term", NAMES)
def test_d_wants_data_high_and_generated_low_and_e_and_g_want_the_opposite(loss, data_goes, adversarial, term):
    data, generated = scores([0.1], [0.2], [0.3]), scores([0.3], [0.2], [0.1])
    total(loss(data, generated, adversarial), average=False).backward()
    # A step of descent goes against the gradient.
    step = {"data": -getattr(data, term).grad.item(), "generated": -getattr(generated, term).grad.item()}
    assert (step["data"] > 0, step["generated"] > 0) == (data_goes == "up", data_goes == "down")
    assert 0.0 not in step.values()
    if adversarial != "softplus":
        assert {abs(value) for value in step.values()} == {1.0}


@pytest.mark.parametrize("adversarial", ["hinge", "hinge_of_sum"])
def test_where_d_is_sure_it_learns_nothing_more_but_e_and_g_do(adversarial):
    for loss, gradient in ((discriminator_terms, 0.0), (generator_encoder_terms, 1.0)):
        data, generated = scores([2.0], [2.0], [2.0]), scores([-2.0], [-2.0], [-2.0])
        total(loss(data, generated, adversarial), average=False).backward()
        assert data.joint.grad.item() == gradient
        assert generated.joint.grad.item() == -gradient


def test_where_d_is_sure_softplus_still_teaches_e_and_g():
    """BiGAN's inverse objective: log(1 - D) in its place would leave nothing to learn from."""
    data, generated = scores(None, None, [20.0]), scores(None, None, [-20.0])
    total(generator_encoder_terms(data, generated, "softplus"), average=False).backward()
    assert data.joint.grad.item() == pytest.approx(1.0)
    assert generated.joint.grad.item() == pytest.approx(-1.0)


@pytest.mark.parametrize("adversarial", ADVERSARIAL)
def test_the_two_kinds_of_pairs_weigh_the_same_whatever_their_number(adversarial):
    once = discriminator_terms(scores(None, None, [0.0]), scores(None, None, [0.5]), adversarial)
    repeated = discriminator_terms(scores(None, None, [0.0] * 6), scores(None, None, [0.5] * 2), adversarial)
    assert plain(repeated) == pytest.approx(plain(once), rel=1e-15)


# --------------------------------------------------------------------------------------------------- total


@LOSSES
@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_the_loss_is_the_sum_of_its_terms_or_their_mean(loss, names):
    terms = loss(as_scores(drawn(names, 4, seed=2)), as_scores(drawn(names, 4, seed=3)), "hinge")
    assert list(terms) == list(names)
    summed = 0.0
    for value in terms.values():
        summed += value.item()
    assert total(terms, average=False).item() == pytest.approx(summed, rel=1e-15)
    assert total(terms, average=True).item() == pytest.approx(summed / len(names), rel=1e-15)


# ---------------------------------------------------------------------------------- regression and reconstruction


def bounded(rows: int, columns: int, seed: int) -> Tensor:
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def test_latent_regression_without_bounds_is_the_squared_error():
    z, found = bounded(5, 3, seed=0) * 3, bounded(5, 3, seed=1) * 3
    summed = 0.0
    for row, guess in zip(z.tolist(), found.tolist(), strict=True):
        for one, other in zip(row, guess, strict=True):
            summed += (one - other) ** 2
    assert latent_regression(z, found, bounded=False).item() == pytest.approx(summed / 15, rel=1e-12)


def test_latent_regression_with_bounds_is_the_cross_entropy_of_both_moved_to_0_to_1():
    """Of z and of E's mean, tanh(h / 2)."""
    z, h = bounded(5, 3, seed=0), bounded(5, 3, seed=1) * 6
    summed = 0.0
    for row, guess in zip(z.tolist(), h.tolist(), strict=True):
        for one, other in zip(row, guess, strict=True):
            p, q = (1 + one) / 2, (1 + math.tanh(other / 2)) / 2
            summed += -(p * math.log(q) + (1 - p) * math.log(1 - q))
    assert latent_regression(z, h, bounded=True).item() == pytest.approx(summed / 15, rel=1e-12)


@pytest.mark.parametrize(("bounds", "mean"), [(True, lambda h: torch.tanh(h / 2)), (False, lambda h: h)])
def test_latent_regression_pulls_the_mean_to_z_and_rests_there(bounds, mean):
    z = bounded(4, 3, seed=0)
    h = bounded(4, 3, seed=1).requires_grad_()
    latent_regression(z, h, bounds).backward()
    assert torch.equal(h.grad.sign(), (mean(h.detach()) - z).sign())
    there = (2 * torch.atanh(z) if bounds else z.clone()).requires_grad_()
    latent_regression(z, there, bounds).backward()
    torch.testing.assert_close(there.grad, torch.zeros_like(there), rtol=0, atol=1e-14)


def test_latent_regression_still_teaches_where_tanh_is_saturated():
    h = torch.tensor([[1e4, -1e4]], requires_grad=True)
    loss = latent_regression(torch.tensor([[-0.5, 0.5]]), h, bounded=True)
    loss.backward()
    assert loss.item() == pytest.approx(7.5e3)
    assert h.grad.tolist() == [[0.375, -0.375]]


@pytest.mark.parametrize(
    ("loss", "of_difference"), [(reconstruction_l1, abs), (reconstruction_l2, lambda difference: difference**2)]
)
def test_reconstruction_is_the_mean_over_pixels(loss, of_difference):
    x, reconstructed = bounded(3, 8, seed=0).reshape(3, 2, 2, 2), bounded(3, 8, seed=1).reshape(3, 2, 2, 2)
    summed, pixels = 0.0, 0
    for one, other in zip(x.flatten().tolist(), reconstructed.flatten().tolist(), strict=True):
        summed += of_difference(one - other)
        pixels += 1
    assert loss(x, reconstructed).item() == pytest.approx(summed / pixels, rel=1e-12)
    assert pixels == 24


# ------------------------------------------------------------------------------------------------- scale_gradient


@pytest.mark.parametrize("factor", [0.0, 0.1, 0.25, 0.3, 1.0, 2.5])
def test_scale_gradient_leaves_the_value_and_multiplies_the_gradient(factor):
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    upstream = torch.randn(4, 5, generator=torch.Generator().manual_seed(1))
    leaf = x * 1.0
    scaled = scale_gradient(leaf, factor)
    assert torch.equal(scaled, x)
    if factor:
        scaled.backward(upstream)
        assert torch.equal(x.grad, upstream * factor)
    else:
        assert not scaled.requires_grad
