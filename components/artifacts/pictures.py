"""Grids of images as PNG: contact sheets, samples, reconstructions."""

from pathlib import Path

import numpy as np
from PIL import Image


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Turns network output, float N×C×H×W in [-1, 1], into uint8 N×H×W×C in [0, 255]."""
    scaled = np.clip((images + 1.0) * 127.5, 0.0, 255.0)
    return np.rint(scaled).astype(np.uint8).transpose(0, 2, 3, 1)


def image_grid(images: np.ndarray, columns: int, gap: int = 1, minimum_tile: int = 56) -> Image.Image:
    """Lays images out row by row on white.

    Args:
        images: uint8, N×H×W×1 (grey) or N×H×W×3 (RGB).
        columns: images in a row; the last row may be shorter.
        gap: white pixels between neighbours, before enlarging.
        minimum_tile: images smaller than this many pixels are enlarged by a whole factor, with hard edges.
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    tile_height, tile_width = height + gap, width + gap
    sheet = np.full((rows * tile_height + gap, columns * tile_width + gap, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top = gap + (index // columns) * tile_height
        left = gap + (index % columns) * tile_width
        sheet[top : top + height, left : left + width] = image
    picture = Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet)
    factor = max(1, -(-minimum_tile // max(height, width)))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def save_grid(path: Path, images: np.ndarray, columns: int) -> None:
    """Writes `image_grid` as PNG; see there for shapes."""
    image_grid(images, columns).save(path, format="PNG")
