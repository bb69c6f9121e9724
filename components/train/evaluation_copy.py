"""The networks as they are evaluated: averaged weights, exact spectral norms, standing statistics."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from components.artifacts.dataset import Split
from components.artifacts.parameters import Recipe
from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size, to_float
from components.bigbigan.spectral_norm import copy_vectors, power_iteration
from components.bigbigan.standing_statistics import recompute
from components.train.draws import image_indices, standing_latents
from components.train.passes import images_in_a_pass
from components.train.state import State

# u and v follow the weights in training; for the averaged weights they are a near start.
_POWER_ITERATIONS = 20


def evaluation_copy(state: State, images: Split, recipe: Recipe, batches: int) -> Networks:
    """Copies G and E from the averaged weights and D as it is, in eval mode; training goes on untouched.

    Args:
        images: the train split; `batches` batches of it, in the order of the first epochs, give E its statistics, as
            many batches of latents give G its own. A batch is one of training, or a pass where that is larger. E's
            are those of real images even where it has learned from G's alone (latent regressors), as in BiGAN's code.
    """
    averaged, discriminator = dict(state.averaged.items()), copy.deepcopy(state.networks.discriminator)
    generator, encoder = copy.deepcopy(averaged["generator"]), copy.deepcopy(averaged.get("encoder"))
    networks = Networks(generator, encoder, discriminator).requires_grad_(False)  # type: ignore[arg-type]
    copy_vectors(state.networks, networks)
    power_iteration(networks, _POWER_ITERATIONS)
    device = next(networks.parameters()).device
    seed, latent = recipe.train.seed, recipe.model.latent
    size = min(recipe.train.batch_size, images_in_a_pass(recipe.model.generator.image_size))

    def real() -> Iterator[tuple[Tensor, Tensor]]:
        """Images, and no noise: the arguments of E."""
        for batch in range(batches):
            pixels = torch.as_tensor(images.images(image_indices(seed, len(images), batch * size, size)))
            yield to_float(pixels.to(device)), torch.zeros(size, latent.size, device=device)

    def latents() -> Iterator[tuple[Tensor]]:
        """What G was trained on: the prior, or in an autoencoder what E says."""
        if discriminator is None and encoder is not None:
            yield from ((encoder(*pair),) for pair in real())
        else:
            yield from ((standing_latents(seed, batch, size, latent).to(device),) for batch in range(batches))

    def pairs(seen: int) -> Iterator[tuple[Tensor, ...]]:
        """Real pairs, images at the resolution that D sees."""
        for x, noise in real():
            yield (at_size(x, seen), noise if encoder is None else encoder(x, noise))

    if encoder is not None:
        recompute(encoder, real())
    recompute(generator, latents())
    if discriminator is not None and discriminator.normalises_batches:
        recompute(discriminator, pairs(recipe.model.generator.image_size))
    return networks.eval()
