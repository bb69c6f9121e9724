"""Passes are as large as fits, and change nothing."""

import pytest
import torch

from components.train import passes
from components.train.passes import generate, images_in_a_pass, mean_codes
from tests.unit.train.toy import make_recipe, make_state


@pytest.mark.parametrize(("size", "images"), [(8, 256), (28, 256), (64, 256), (128, 64), (256, 16), (4096, 1)])
def test_a_pass_has_the_pixels_of_64_images_of_128_px_at_most(size: int, images: int) -> None:
    assert images_in_a_pass(size) == images


def test_what_is_made_in_several_passes_is_what_one_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe()
    networks = make_state(recipe).networks.eval()
    latents = torch.randn(7, recipe.model.latent.size)
    seen = []
    for network in (networks.generator, networks.encoder.trunk):
        network.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    with torch.no_grad():
        images = networks.generator(latents)
        codes, _ = networks.encoder.distribution(networks.encoder.features(images))
        monkeypatch.setattr(passes, "images_in_a_pass", lambda size: 3)
        seen.clear()
        torch.testing.assert_close(generate(networks.generator, latents), images)
        torch.testing.assert_close(mean_codes(networks.encoder, images), codes)
    assert seen == [1, 3, 3, 1, 3, 3, 1]
