"""Shows each image of a batch in a view of its own: differentiable, so that what G makes can be seen through it too."""

import torch
import torch.nn.functional as F
from torch import Tensor

from components.train.views import Crops, Shifts, Views


def augment(images: Tensor, views: Views) -> Tensor:
    """Shifts or crops each image, and mirrors some, in one go on the images' device.

    Args:
        images: N×C×H×W of any float type, in [-1, 1].
        views: N of them, on any device.

    Returns:
        N×C×H×W in [-1, 1] of the same type, device and memory format.
    """
    views = views.to(images.device)
    seen = _shift(images, views) if isinstance(views, Shifts) else _crop(images, views)
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    return seen.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def _shift(images: Tensor, views: Shifts) -> Tensor:
    """Moves by whole pixels; what a shift uncovers repeats the edge."""
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device) - views.shifts[:, :1]
    columns = torch.arange(width, device=images.device) - views.shifts[:, 1:]
    columns = columns.clamp(0, width - 1)
    columns = torch.where(views.flips[:, None], width - 1 - columns, columns)
    shifted = images.gather(2, rows.clamp(0, height - 1)[:, None, :, None].expand_as(images))
    return shifted.gather(3, columns[:, None, None, :].expand_as(images))


def _crop(images: Tensor, views: Crops) -> Tensor:
    """Magnifies the boxes to the images' size, bicubic (appendix), with the kernel and the edges of Pillow's `resize`.

    Along one axis after the other, each clamped, as Pillow does with bytes. A box lies inside its image, so nothing
    is made smaller and nothing can alias; pixels beside the box count where the kernel reaches them.
    """
    top, left, height, width = views.boxes.to(torch.promote_types(images.dtype, torch.float32)).unbind(1)
    left, width = torch.where(views.flips, left + width, left), torch.where(views.flips, -width, width)
    columns_first = images.to(top.dtype).permute(0, 3, 2, 1)
    rows_first = _resample(columns_first, left, width).transpose(1, 2)
    return _resample(rows_first, top, height).permute(0, 3, 1, 2).to(images.dtype)


def _resample(lines: Tensor, start: Tensor, length: Tensor) -> Tensor:
    """Line i of L, N×L×..., becomes the image at `start` + (i + 1/2) `length` / L; a negative length runs backwards."""
    count, size = lines.shape[:2]
    steps = torch.arange(size, device=lines.device, dtype=start.dtype) + 0.5
    centres = start[:, None] + steps * (length / size)[:, None]
    nearest = (centres - 0.5).floor()[:, :, None] + torch.arange(-1, 3, device=lines.device)
    weights = _cubic(nearest + 0.5 - centres[:, :, None]) * ((nearest >= 0) & (nearest < size))
    weights = weights / weights.sum(2, keepdim=True)
    first = size * torch.arange(count, device=lines.device)[:, None, None]
    # A bag is a weighted sum of rows of a table: this one call is several times faster than four gathers or a product
    # with the matrix of weights.
    mixed = F.embedding_bag(
        (first + nearest.long().clamp(0, size - 1)).flatten(0, 1),
        lines.reshape(count * size, -1),
        mode="sum",
        per_sample_weights=weights.flatten(0, 1),
    )
    return mixed.view(lines.shape).clamp_(-1, 1)


def _cubic(distance: Tensor) -> Tensor:
    """Keys's (1981) cubic convolution kernel with a = -1/2, which reproduces quadratic functions."""
    d = distance.abs()
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return torch.where(d < 1, near, torch.where(d < 2, far, 0))
