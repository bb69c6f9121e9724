"""Shifts and quarter turns of square uint8 images, N×H×W×C."""

import torch
from torch import Tensor


def shifted(images: Tensor, maximum: int, generator: torch.Generator) -> Tensor:
    """Moves each image by up to `maximum` whole pixels along both axes; edge pixels fill what comes in."""
    count, height, width, _ = images.shape
    down, right = torch.randint(-maximum, maximum + 1, (2, count, 1), generator=generator)
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - right).clamp(0, width - 1)
    return images[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def rotated(images: Tensor, turns: Tensor) -> Tensor:
    """Turns image n by `turns[n]` (0 to 3) times 90° anticlockwise."""
    result = images.clone()
    for turn in range(1, 4):
        result[turns == turn] = torch.rot90(images[turns == turn], turn, (1, 2))
    return result


def all_rotations(images: Tensor) -> tuple[Tensor, Tensor]:
    """All four rotations of each image, 4N×H×W×C, and their numbers of turns, 4N."""
    turns = torch.arange(4).repeat_interleave(len(images))
    return rotated(images.repeat(4, 1, 1, 1), turns), turns
