"""Pictures of how far training is: samples of G, and images beside their reconstructions G(E(x))."""

from pathlib import Path

import numpy as np
import torch

from components.artifacts.files import new_directory
from components.artifacts.parameters import Latent
from components.artifacts.pictures import save_grid, to_uint8
from components.bigbigan.build import Networks
from components.bigbigan.encoder.encoder import Encoder
from components.bigbigan.pixels import at_size, to_float
from components.train.draws import sheet_latents
from components.train.passes import generate, mean_codes

_ROWS, _COLUMNS = 8, 16


@torch.no_grad()
def draw_sheets(directory: Path, networks: Networks, originals: np.ndarray, latent: Latent, seed: int) -> None:
    """Writes `samples.png`, and `reconstructions.png` if there is an encoder, into the new folder `directory`.

    Args:
        networks: in eval mode.
        originals: uint8 N×H×W×C; each row of reconstructions stands under the row of its originals.
    """
    device = next(networks.parameters()).device
    samples = generate(networks.generator, sheet_latents(seed, _ROWS * _COLUMNS, latent).to(device))
    with new_directory(directory, known_by="samples.png") as partial:
        save_grid(partial / "samples.png", to_uint8(samples.cpu().numpy()), _COLUMNS)
        if networks.encoder is not None:
            pairs = _reconstructions(networks, networks.encoder, originals, device)
            save_grid(partial / "reconstructions.png", pairs, _COLUMNS)


def _reconstructions(networks: Networks, encoder: Encoder, originals: np.ndarray, device: torch.device) -> np.ndarray:
    real = to_float(originals).to(device)
    reconstructed = generate(networks.generator, mean_codes(encoder, real))
    # Beside each other they must be of one size, that which G makes.
    pictures = [to_uint8(part.cpu().numpy()) for part in (at_size(real, reconstructed.shape[-1]), reconstructed)]
    rows = range(0, len(originals), _COLUMNS)
    return np.concatenate([part[row : row + _COLUMNS] for row in rows for part in pictures])


def sheet_originals(images_in_split: int) -> range:
    """The indices of the images that `draw_sheets` reconstructs: the first of the split, in whole rows."""
    return range(min(images_in_split, _ROWS // 2 * _COLUMNS) // _COLUMNS * _COLUMNS or images_in_split)
