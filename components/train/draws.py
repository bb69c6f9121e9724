"""Everything that training draws, as a function of (seed, position): order, crops, noise.

Nothing here keeps a state. Whatever a run did before, on however many processes, the draws at a position are the
same; so a run that was killed goes on exactly as if it had not been.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.artifacts.parameters import Augmentation, Latent
from components.bigbigan.latents import draw

_ORDER, _STEP, _SHEET, _STANDING, _DRIFT = range(5)


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
        order = torch.randperm(images, generator=_generator(seed, _ORDER, int(epoch))).numpy()
        here = epochs == epoch
        indices[here] = order[positions[here] % images]
    return indices


@dataclass(frozen=True)
class Views:
    """One random view per image: shifts in pixels (down, right), N×2, and which are mirrored, N."""

    shifts: Tensor
    flips: Tensor


@dataclass(frozen=True)
class Draws:
    """The random numbers of one forward pass over N pairs of each kind."""

    latents: Tensor
    encoder_noise: Tensor
    data_views: Views
    generated_views: Views


def step_draws(seed: int, step: int, phase: int, count: int, latent: Latent, augmentation: Augmentation) -> Draws:
    """The draws of phase `phase` (D's steps, then that of E and G) of step `step`, for a batch of `count`."""
    generator = _generator(seed, _STEP, step, phase)
    return Draws(
        latents=draw(latent.distribution, (count, latent.size), generator),
        encoder_noise=torch.randn(count, latent.size, generator=generator),
        data_views=_views(count, augmentation, generator),
        generated_views=_views(count, augmentation, generator),
    )


def sheet_latents(seed: int, count: int, latent: Latent) -> Tensor:
    """The latents of the sheets that training draws: the same ones each time, so that one sees them change."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _SHEET))


def drift_latents(seed: int, count: int, latent: Latent) -> Tensor:
    """The latents of the samples whose distance to the train images is watched: the same ones each time."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _DRIFT))


def standing_latents(seed: int, batch: int, count: int, latent: Latent) -> Tensor:
    """The latents of batch number `batch` for standing statistics."""
    return draw(latent.distribution, (count, latent.size), _generator(seed, _STANDING, batch))


def _views(count: int, augmentation: Augmentation, generator: torch.Generator) -> Views:
    reach = augmentation.shift
    shifts = torch.randint(-reach, reach + 1, (count, 2), generator=generator)
    flips = torch.rand(count, generator=generator) < 0.5
    return Views(shifts, flips if augmentation.flip else torch.zeros_like(flips))
