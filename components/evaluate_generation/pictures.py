"""The sheets to look at: samples, reconstructions beside their originals, interpolations."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from components.artifacts.model import Model
from components.artifacts.pictures import image_grid, save_grid
from components.bigbigan.encoder.encoder import Encoder
from components.evaluate_generation.resolution import averaged
from components.evaluate_generation.sampling import encode, generate, generated_size

_PAIRS_IN_A_ROW = 10
_MARGIN = 4  # pixels


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
