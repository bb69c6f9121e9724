"""All images are compared at the generator's resolution, which may be a fraction of the dataset's."""

import numpy as np
import torch
from torch import Tensor

from components.bigbigan.pixels import at_size


def averaged(images: np.ndarray, size: int) -> np.ndarray:
    """Real images as G could have made them: each pixel the mean of a square of them, rounded as samples are.

    uint8 N×H×H×C -> uint8 N×`size`×`size`×C. Raises: ValueError, if H is not a multiple of `size`.
    """
    if images.shape[1] == size:
        return images
    # Bytes rather than the networks' [-1, 1]: their sums are exact, so that a mean of a half is always rounded alike.
    means = at_size(torch.from_numpy(images).permute(0, 3, 1, 2).float(), size)
    return means.round().byte().permute(0, 2, 3, 1).numpy()


def enlarged(images: Tensor, size: int) -> Tensor:
    """N×H×H×C -> N×`size`×`size`×C, each pixel repeated: nothing is added to what the smaller image shows."""
    factor = size // images.shape[1]
    return images if factor == 1 else images.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
