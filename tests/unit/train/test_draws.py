import numpy as np
import pytest
import torch

from components.artifacts.parameters import Recipe
from components.train.draws import Draws, drift_latents, image_indices, sheet_latents, standing_latents, step_draws
from components.train.views import Shifts
from tests.unit.train.toy import make_recipe


def recipe(count: int, seed: int = 0, **changes: object) -> Recipe:
    sections = {"train.batch_size": count, "train.seed": seed, "model.latent.size": 6, "augmentation.shift": 2}
    return make_recipe("BigBiGAN", sections | changes)


def shifts(draws: Draws) -> tuple[Shifts, Shifts]:
    assert isinstance(draws.data_views, Shifts)
    assert isinstance(draws.generated_views, Shifts)
    return draws.data_views, draws.generated_views


def test_the_order_is_a_function_of_seed_and_position() -> None:
    whole = image_indices(0, images=7, first=0, count=40)
    torch.manual_seed(9)
    parts = [image_indices(0, 7, first, 5) for first in range(0, 40, 5)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(image_indices(1, 7, 0, 40), whole)


def test_every_epoch_is_a_permutation_of_its_own() -> None:
    epochs = image_indices(0, images=11, first=0, count=55).reshape(5, 11)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(11), (5, 1)))
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_draws_are_a_function_of_seed_step_and_turn() -> None:
    torch.manual_seed(1)
    first = step_draws(recipe(4), 4, 1)
    torch.manual_seed(2)
    again = step_draws(recipe(4), 4, 1)
    assert torch.equal(first.latents, again.latents)
    assert torch.equal(first.encoder_noise, again.encoder_noise)
    assert torch.equal(shifts(first)[0].shifts, shifts(again)[0].shifts)
    for other in (step_draws(recipe(4, seed=1), 4, 1), step_draws(recipe(4), 5, 1), step_draws(recipe(4), 4, 2)):
        assert not torch.equal(other.latents, first.latents)


def test_no_two_draws_of_a_step_share_their_numbers() -> None:
    draws, latent = step_draws(recipe(500), 0, 0), recipe(500).model.latent
    together = torch.stack([draws.latents.flatten(), draws.encoder_noise.flatten()])
    assert abs(torch.corrcoef(together)[0, 1]) < 0.1
    data, generated = shifts(draws)
    assert not torch.equal(data.shifts, generated.shifts)
    others = [sheet_latents(0, 500, latent), standing_latents(0, 0, 500, latent), drift_latents(0, 500, latent)]
    others.append(standing_latents(0, 1, 500, latent))
    assert all(not torch.equal(one, other) for one in others for other in others if one is not other)


def test_latents_are_of_the_prior_and_noise_is_normal() -> None:
    draws = step_draws(recipe(2000, **{"model.latent.distribution": "uniform"}), 0, 0)
    assert 0.99 < draws.latents.abs().max() <= 1
    assert draws.encoder_noise.abs().max() > 3
    assert draws.encoder_noise.std() == pytest.approx(1, abs=0.02)


def test_views_reach_the_whole_range_and_no_further() -> None:
    views, _ = shifts(step_draws(recipe(400), 0, 0))
    assert set(views.shifts.flatten().tolist()) == {-2, -1, 0, 1, 2}
    assert 0.4 < views.flips.float().mean() < 0.6


@pytest.mark.parametrize("flip", [True, False])
def test_turning_flips_off_changes_no_other_draw(flip: bool) -> None:
    data, generated = shifts(step_draws(recipe(50, **{"augmentation.flip": flip}), 0, 0))
    assert torch.equal(generated.shifts, shifts(step_draws(recipe(50), 0, 0))[1].shifts)
    assert data.flips.any() == flip


def test_rows_are_those_of_all_draws() -> None:
    draws, rows = step_draws(recipe(8), 0, 0), torch.tensor([5, 0])
    part = draws[rows]
    assert torch.equal(part.latents, draws.latents[rows])
    assert torch.equal(part.encoder_noise, draws.encoder_noise[rows])
    for whole, some in zip(shifts(draws), shifts(part), strict=True):
        assert torch.equal(some.shifts, whole.shifts[rows])
        assert torch.equal(some.flips, whole.flips[rows])
