"""The losses: values worked out by hand, and the direction in which each side pulls."""

import pytest
import torch

from components.bigbigan.discriminator import Scores
from components.bigbigan.objective import discriminator_terms, generator_encoder_terms, total


def scores(image: list[float] | None, latent: list[float] | None, joint: list[float]) -> Scores:
    def tensor(values: list[float] | None) -> torch.Tensor | None:
        return None if values is None else torch.tensor(values, dtype=torch.float64, requires_grad=True)

    return Scores(tensor(image), tensor(latent), tensor(joint))


DATA = ([3.0, 0.0], [-2.0, 0.5], [1.0, -1.0])
GENERATED = ([-3.0, 1.0], [0.0, 0.0], [-0.5, 2.0])


def plain(terms: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in terms.items()}


def test_d_hinges_each_term_for_itself():
    # image: data (max(0, 1-3) + max(0, 1-0)) / 2 = 0.5, generated (max(0, 1-3) + max(0, 1+1)) / 2 = 1; and so on.
    terms = discriminator_terms(scores(*DATA), scores(*GENERATED))
    assert plain(terms) == {"image": 0.5 + 1.0, "latent": 1.75 + 1.0, "joint": 1.0 + 1.75}
    assert total(terms).item() == 7.0


def test_the_hinge_of_the_sum_would_be_another_number():
    # Image says +3, latent says -2: their sum, 1, would leave no loss; each for itself leaves 3.
    terms = discriminator_terms(scores([3.0], [-2.0], [1.0]), scores([-9.0], [-9.0], [-9.0]))
    assert plain(terms) == {"image": 0.0, "latent": 3.0, "joint": 0.0}
    hinge_of_the_sum = max(0.0, 1 - (3.0 - 2.0 + 1.0))
    assert total(terms).item() != hinge_of_the_sum


def test_e_and_g_have_no_hinge():
    terms = generator_encoder_terms(scores(*DATA), scores(*GENERATED))
    assert plain(terms) == {"image": 1.5 - -1.0, "latent": -0.75 - 0.0, "joint": 0.0 - 0.75}
    assert total(terms).item() == 1.0
    far = generator_encoder_terms(scores([50.0], [50.0], [50.0]), scores([-50.0], [-50.0], [-50.0]))
    assert total(far).item() == 300.0


@pytest.mark.parametrize(("loss", "sign"), [(discriminator_terms, -1), (generator_encoder_terms, 1)])
@pytest.mark.parametrize("term", ["image", "latent", "joint"])
def test_d_wants_data_high_and_generated_low_and_e_and_g_want_the_opposite(loss, sign, term):
    data, generated = scores([0.1], [0.2], [0.3]), scores([0.3], [0.2], [0.1])
    total(loss(data, generated)).backward()
    assert getattr(data, term).grad.item() == sign
    assert getattr(generated, term).grad.item() == -sign


def test_where_d_is_sure_it_learns_nothing_more_but_e_and_g_do():
    for loss, gradient in ((discriminator_terms, 0.0), (generator_encoder_terms, 1.0)):
        data, generated = scores([2.0], [2.0], [2.0]), scores([-2.0], [-2.0], [-2.0])
        total(loss(data, generated)).backward()
        assert data.joint.grad.item() == gradient
        assert generated.joint.grad.item() == -gradient


def test_the_two_kinds_of_pairs_weigh_the_same_whatever_their_number():
    data, generated = scores(None, None, [0.0] * 6), scores(None, None, [0.0] * 2)
    assert plain(discriminator_terms(data, generated)) == {"joint": 2.0}


@pytest.mark.parametrize("loss", [discriminator_terms, generator_encoder_terms])
@pytest.mark.parametrize(
    ("image", "latent", "names"),
    [([0.0], None, ["image", "joint"]), (None, [0.0], ["latent", "joint"]), (None, None, ["joint"])],
)
def test_a_term_that_is_configured_off_is_not_in_the_loss(loss, image, latent, names):
    terms = loss(scores(image, latent, [0.5]), scores(image, latent, [0.5]))
    assert list(terms) == names
    torch.testing.assert_close(total(terms), sum(terms.values()))
