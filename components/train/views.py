"""Which view of each image is seen: the random part of the augmentation."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor

from components.artifacts.parameters import Augmentation, CropAugmentation, ShiftAugmentation


@dataclass(frozen=True)
class Rows:
    """Tensors, or such as this, with a row per image. `rows[a:b]` is the part of those images, `rows.to(device)` a
    copy there."""

    def __getitem__(self, rows: slice | Tensor) -> Self:
        return self._each(lambda part: part[rows])

    def to(self, device: torch.device | str) -> Self:
        return self._each(lambda part: part.to(device))

    def _each(self, change: Callable[[Any], Any]) -> Self:
        return type(self)(*(change(getattr(self, field.name)) for field in fields(self)))


@dataclass(frozen=True)
class Shifts(Rows):
    """Shifts in whole pixels (down, right), int64 N×2, and which images are mirrored, bool N."""

    shifts: Tensor
    flips: Tensor


@dataclass(frozen=True)
class Crops(Rows):
    """Boxes in pixels (top, left, height, width), float32 N×4, and which of them are mirrored, bool N."""

    boxes: Tensor
    flips: Tensor


Views = Shifts | Crops


def draw_views(count: int, image_size: int, augmentation: Augmentation, generator: torch.Generator) -> Views:
    """Draws a view for each of `count` square images, on the CPU. A flip that is turned off is drawn all the same."""
    if isinstance(augmentation, ShiftAugmentation):
        reach = augmentation.shift
        shifts = torch.randint(-reach, reach + 1, (count, 2), generator=generator)
        return Shifts(shifts, _flips(count, augmentation.flip, generator))
    boxes = _boxes(count, image_size, augmentation, generator)
    return Crops(boxes, _flips(count, augmentation.flip, generator))


def _boxes(count: int, image_size: int, augmentation: CropAugmentation, generator: torch.Generator) -> Tensor:
    """The crops that ResNets are trained with (Szegedy et al. 2015, section 6).

    The share of the area is uniform in [minimum_area, 1]; the aspect, width over height, is log-uniform in
    [1 / aspect, aspect]; the place is uniform. Where a box of that area fits into the image only with milder aspects,
    it is log-uniform in those. (Rejecting misfits instead, as is common, makes crops of more than 3/4 of the image
    rarer than the others.)
    """
    area, place, top, left = torch.rand(4, count, generator=generator, dtype=torch.float64)
    area = augmentation.minimum_area + (1 - augmentation.minimum_area) * area
    widest = area.reciprocal().clamp(max=augmentation.aspect)
    aspect = widest ** (2 * place - 1)
    height = (area / aspect).sqrt().clamp(max=1)
    width = (area * aspect).sqrt().clamp(max=1)
    boxes = torch.stack([top * (1 - height), left * (1 - width), height, width], dim=1)
    return (boxes * image_size).float()


def _flips(count: int, flip: bool, generator: torch.Generator) -> Tensor:
    flips = torch.rand(count, generator=generator) < 0.5
    return flips if flip else torch.zeros_like(flips)
