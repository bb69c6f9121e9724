"""Everything that training draws, as a function of (seed, position): order, crops, noise.

Nothing here keeps a state. Whatever a run did before, on however many processes, the draws at a position are the
same; so a run that was killed goes on exactly as if it had not been.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from components.artifacts.parameters import Latent, Recipe
from components.bigbigan.latents import draw
from components.train.views import Rows, Views, draw_views

_ORDER, _STEP, _SHEET, _STANDING, _DRIFT, _INVERSION = range(6)


def _generator(seed: int, *position: int) -> torch.Generator:
    """A generator whose stream depends on nothing but the arguments."""
    mixed = np.random.SeedSequence([seed, *position]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> np.uint64(1)))


def image_indices(seed: int, images: int, first: int, count: int) -> np.ndarray:
    """Which images stand at positions `first` to `first + count - 1` of the endless sequence of epochs.

    Each epoch is a permutation of its own.
    """
    positions = np.arange(first, first + count)
    epochs = positions // images
    indices = np.empty(count, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        indices[here] = _order(seed, images, int(epoch))[positions[here] % images]
    return indices


@lru_cache(maxsize=2)  # a batch may lie across the border of two epochs
def _order(seed: int, images: int, epoch: int) -> np.ndarray:
    order: np.ndarray = torch.randperm(images, generator=_generator(seed, _ORDER, epoch)).numpy()
    order.flags.writeable = False
    return order


@dataclass(frozen=True)
class Draws(Rows):
    """The random numbers of one forward pass over N pairs of each kind."""

    latents: Tensor
    encoder_noise: Tensor
    data_views: Views
    generated_views: Views


def step_draws(recipe: Recipe, step: int, turn: int) -> Draws:
    """The draws of turn `turn` (D's, then that of E and G) of step `step`, for the whole batch of all ranks."""
    generator = _generator(recipe.train.seed, _STEP, step, turn)
    count, latent, size = recipe.train.batch_size, recipe.model.latent, recipe.image.size
    return Draws(
        latents=draw(latent.distribution, (count, latent.size), generator),
        encoder_noise=torch.randn(count, latent.size, generator=generator),
        data_views=draw_views(count, size, recipe.augmentation, generator),
        generated_views=draw_views(count, size, recipe.augmentation, generator),
    )


def sheet_latents(seed: int, count: int, latent: Latent) -> Tensor:
    """The latents of the sheets that training draws: the same ones each time, so that one sees them change."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _SHEET))


def drift_latents(seed: int, count: int, latent: Latent) -> Tensor:
    """The latents of the samples whose distance to the train images is watched: the same ones each time."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _DRIFT))


def inversion_latents(seed: int, count: int, latent: Latent) -> Tensor:
    """The latents that E is asked to find again in what G makes of them: the same ones each time."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _INVERSION))


def standing_latents(seed: int, batch: int, count: int, latent: Latent) -> Tensor:
    """The latents of batch number `batch` for standing statistics."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _STANDING, batch))
