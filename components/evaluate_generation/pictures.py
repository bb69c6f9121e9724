"""The sheets to look at: samples, reconstructions beside their originals, interpolations."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from components.artifacts.dataset import Dataset, Split
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration
from components.artifacts.pictures import image_grid, save_grid
from components.bigbigan.encoder.encoder import Encoder
from components.evaluate_generation.collect import random_order
from components.evaluate_generation.memorisation import Memorisation
from components.evaluate_generation.resolution import averaged
from components.evaluate_generation.sampling import encode, generate, generated_size, latents

_PAIRS_IN_A_ROW = 10
_TRIPLETS_IN_A_ROW = 4
_MARGIN = 4  # pixels


def save_pictures(
    directory: Path,
    model: Model,
    dataset: Dataset,
    parameters: EvaluateGeneration,
    memorisation: Memorisation | None,
    device: torch.device,
) -> None:
    """Writes samples.png, memorisation.png, reconstructions.png and interpolations.png, of the first samples and test
    images.

    Where there are fewer than two test images, train images take their place. Without an encoder there are no
    reconstructions, and the interpolations lie between samples. Without test images there is no memorisation.
    """
    count = parameters.sheet_images
    rows = max(1, count // parameters.interpolation_steps)
    model.networks.to(device)
    z = latents(model, parameters.samples, parameters.seed)
    save_samples(directory / "samples.png", model, z[:count], device)
    if memorisation is not None:
        searched = z[: memorisation.samples]
        triplets = max(1, count // 3)
        save_memorisation(
            directory / "memorisation.png", model, searched, dataset.train, memorisation, triplets, device
        )
    interpolations, steps = directory / "interpolations.png", parameters.interpolation_steps
    encoder = model.networks.encoder
    if encoder is None:
        save_interpolations_of_samples(interpolations, model, z[: 2 * rows], steps, device)
        return
    split = dataset.test if len(dataset.test) >= 2 else dataset.train
    images = split.images(random_order(split, min(len(split), count), parameters))
    save_reconstructions(directory / "reconstructions.png", model, encoder, images[: max(1, count // 2)], device)
    save_interpolations(interpolations, model, encoder, images[: 2 * rows], steps, device)


def save_samples(path: Path, model: Model, z: Tensor, device: torch.device) -> None:
    """G(z) of latents N×Z, not picked, in a grid as near to a square as can be."""
    save_grid(path, generate(model, z, device), columns=math.isqrt(len(z) - 1) + 1)


def save_reconstructions(path: Path, model: Model, encoder: Encoder, images: np.ndarray, device: torch.device) -> None:
    """Rows in pairs: originals, uint8 N×H×W×C, and right below them G(E(x)), with the mean of E(x).

    The originals are shown at G's resolution.
    """
    reconstructions = generate(model, encode(encoder, images, device), device)
    originals = averaged(images, generated_size(model))
    columns = min(_PAIRS_IN_A_ROW, len(images))
    rows: list[np.ndarray] = []
    for start in range(0, len(images), columns):
        for kind in (originals, reconstructions):
            row = kind[start : start + columns]
            white = np.full((columns - len(row), *row.shape[1:]), 255, np.uint8)
            rows += [row, white]
    save_grid(path, np.concatenate(rows), columns)


def save_memorisation(
    path: Path, model: Model, z: Tensor, train: Split, memorisation: Memorisation, count: int, device: torch.device
) -> None:
    """The samples that are nearest to a train image by features, nearest first, each with two train images beside it:
    its nearest by features and by pixels. If the generator copies, it shows here.

    Args:
        z: of the samples that were searched for, in their order.
        count: of samples to show, at most.
    """
    features, pixels = memorisation.by_features, memorisation.by_pixels
    shown = features.distances[: memorisation.samples].argsort(stable=True)[:count]
    samples, size = generate(model, z[shown], device), generated_size(model)
    found = [averaged(train.images(nearest.indices[shown].tolist()), size) for nearest in (features, pixels)]
    line = np.full((len(shown), size, 1, samples.shape[3]), 255, np.uint8)
    triplets = np.concatenate([samples, line, found[0], line, found[1]], 2)
    sheet = image_grid(triplets, min(_TRIPLETS_IN_A_ROW, len(shown)), gap=3, minimum_tile=3 * 56)
    title = "samples nearest to a train image; beside each, its nearest by features, by pixels"
    _titled(sheet, title).save(path, format="PNG")


def save_interpolations(
    path: Path, model: Model, encoder: Encoder, images: np.ndarray, steps: int, device: torch.device
) -> None:
    """Rows from one image to another: x₁, then G at `steps` equal steps from E(x₁) to E(x₂), then x₂.

    Straight lines in z between the means of E, as in ALI (Dumoulin et al. 2017, section 4.2). Between encodings
    rather than draws of the prior, so that a row shows E too and has real images at its ends.

    Args:
        images: uint8 N×H×W×C; the first half starts the rows, the second half ends them. They are shown at G's
            resolution.
    """
    rows = len(images) // 2
    between = _interpolations(model, encode(encoder, images, device), steps, device)
    shown = averaged(images, generated_size(model))
    tiles: list[np.ndarray] = []
    for start, row in enumerate(between):
        tiles += [shown[start : start + 1], row, shown[start + rows : start + rows + 1]]
    save_grid(path, np.concatenate(tiles), columns=steps + 2)


def save_interpolations_of_samples(path: Path, model: Model, z: Tensor, steps: int, device: torch.device) -> None:
    """Rows from one sample to another, for a model without an encoder, with a title that says so: G at `steps` equal
    steps from z₁ to z₂, straight, both ends included.

    Args:
        z: N×Z; the first half starts the rows, the second half ends them.
    """
    tiles = np.concatenate(_interpolations(model, z, steps, device))
    _titled(image_grid(tiles, columns=steps), "between samples, not images: no encoder").save(path, format="PNG")


def _interpolations(model: Model, z: Tensor, steps: int, device: torch.device) -> list[np.ndarray]:
    """G between each latent of the first half of N×Z and its partner in the second half, row by row."""
    rows = len(z) // 2
    weights = torch.linspace(0, 1, steps)[:, None]
    return [generate(model, torch.lerp(z[row], z[row + rows], weights), device) for row in range(rows)]


def _titled(sheet: Image.Image, title: str) -> Image.Image:
    """The sheet below a line of text on white."""
    left, top, right, bottom = (round(edge) for edge in ImageDraw.Draw(sheet).textbbox((0, 0), title))
    height = bottom + top
    whole = Image.new(sheet.mode, (max(sheet.width, right + left + 2 * _MARGIN), sheet.height + height), "white")
    whole.paste(sheet, (0, height))
    ImageDraw.Draw(whole).text((_MARGIN, 0), title, fill="black")
    return whole
