"""Shifts and mirror images, differentiable, so that generated images can be seen through them as well."""

import torch
from torch import Tensor

from components.train.draws import Views


def augment(images: Tensor, views: Views) -> Tensor:
    """Shifts and mirrors each image by itself, N×C×H×W; what a shift uncovers repeats the edge."""
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device) - views.shifts[:, :1].to(images.device)
    columns = torch.arange(width, device=images.device) - views.shifts[:, 1:].to(images.device)
    columns = columns.clamp(0, width - 1)
    columns = torch.where(views.flips.to(images.device)[:, None], width - 1 - columns, columns)
    shifted = images.gather(2, rows.clamp(0, height - 1)[:, None, :, None].expand_as(images))
    return shifted.gather(3, columns[:, None, None, :].expand_as(images))
