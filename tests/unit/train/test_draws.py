import numpy as np
import pytest
import torch

from components.artifacts.parameters import Augmentation, Latent
from components.train.draws import image_indices, sheet_latents, standing_latents, step_draws

LATENT = Latent(size=5, distribution="normal")
VIEWS = Augmentation(shift=2, flip=True, generated=True)


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


def test_draws_are_a_function_of_seed_step_and_phase() -> None:
    torch.manual_seed(1)
    first = step_draws(0, 4, 1, 3, LATENT, VIEWS)
    torch.manual_seed(2)
    again = step_draws(0, 4, 1, 3, LATENT, VIEWS)
    assert torch.equal(first.latents, again.latents)
    assert torch.equal(first.encoder_noise, again.encoder_noise)
    assert torch.equal(first.data_views.shifts, again.data_views.shifts)
    for other in ((1, 4, 1), (0, 5, 1), (0, 4, 2)):
        assert not torch.equal(step_draws(*other, 3, LATENT, VIEWS).latents, first.latents)


def test_no_two_draws_of_a_step_share_their_numbers() -> None:
    draws = step_draws(0, 0, 0, 500, LATENT, VIEWS)
    together = torch.stack([draws.latents.flatten(), draws.encoder_noise.flatten()])
    assert abs(torch.corrcoef(together)[0, 1]) < 0.1
    assert not torch.equal(draws.data_views.shifts, draws.generated_views.shifts)
    assert not torch.equal(sheet_latents(0, 500, LATENT), standing_latents(0, 0, 500, LATENT))


def test_views_reach_the_whole_range_and_no_further() -> None:
    views = step_draws(0, 0, 0, 400, LATENT, VIEWS).data_views
    assert set(views.shifts.flatten().tolist()) == {-2, -1, 0, 1, 2}
    assert 0.4 < views.flips.float().mean() < 0.6


@pytest.mark.parametrize("flip", [True, False])
def test_turning_flips_off_changes_no_other_draw(flip: bool) -> None:
    draws = step_draws(0, 0, 0, 50, LATENT, Augmentation(shift=2, flip=flip, generated=True))
    reference = step_draws(0, 0, 0, 50, LATENT, VIEWS)
    assert torch.equal(draws.generated_views.shifts, reference.generated_views.shifts)
    assert draws.data_views.flips.any() == flip
