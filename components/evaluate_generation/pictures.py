"""The sheets to look at: samples, reconstructions beside their originals, interpolations."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from components.artifacts.model import Model
from components.artifacts.pictures import save_grid
from components.evaluate_generation.sampling import encode, generate

_PAIRS_IN_A_ROW = 10


def save_samples(path: Path, model: Model, z: Tensor, device: torch.device) -> None:
    """G(z) of latents N×Z, not picked, in a grid as near to a square as can be."""
    save_grid(path, generate(model, z, device), columns=math.isqrt(len(z) - 1) + 1)


def save_reconstructions(path: Path, model: Model, images: np.ndarray, device: torch.device) -> None:
    """Rows in pairs: originals, uint8 N×H×W×C, and right below them G(E(x)), with the mean of E(x)."""
    reconstructions = generate(model, encode(model, images, device), device)
    columns = min(_PAIRS_IN_A_ROW, len(images))
    rows: list[np.ndarray] = []
    for start in range(0, len(images), columns):
        for kind in (images, reconstructions):
            row = kind[start : start + columns]
            white = np.full((columns - len(row), *row.shape[1:]), 255, np.uint8)
            rows += [row, white]
    save_grid(path, np.concatenate(rows), columns)


def save_interpolations(path: Path, model: Model, images: np.ndarray, steps: int, device: torch.device) -> None:
    """Rows from one image to another: x₁, then G at `steps` equal steps from E(x₁) to E(x₂), then x₂.

    Straight lines in z between the means of E, as in ALI (Dumoulin et al. 2017, section 4.2). Between encodings
    rather than draws of the prior, so that a row shows E too and has real images at its ends.

    Args:
        images: uint8 N×H×W×C; the first half starts the rows, the second half ends them.
    """
    rows = len(images) // 2
    z = encode(model, images, device)
    weights = torch.linspace(0, 1, steps)[:, None]
    tiles: list[np.ndarray] = []
    for start, end in zip(range(rows), range(rows, 2 * rows), strict=True):
        between = generate(model, torch.lerp(z[start], z[end], weights), device)
        tiles += [images[start : start + 1], between, images[end : end + 1]]
    save_grid(path, np.concatenate(tiles), columns=steps + 2)
