"""Embedded colour profiles: pixels become sRGB, as a viewer would show them."""

import io
from functools import lru_cache

import numpy as np
import PIL.Image
from PIL import ImageCms

# What an 8-bit transform to and fro may be off by: a profile that changes no colour by more is sRGB by another name.
_ROUNDING = 2
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


def to_srgb(picture: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    """Takes a picture of mode L, RGB or CMYK; one that the profile says something about comes back as RGB.

    A profile that is broken, or for another kind of pixels, says nothing and spoils no picture.
    """
    transform = None if profile is None else _transform(profile, picture.mode)
    if transform is None:
        return picture
    return ImageCms.applyTransform(picture, transform) or picture


def changes_colours(profile: bytes | None, mode: str) -> bool:
    """Whether `to_srgb` would do anything to a picture of this mode."""
    return profile is not None and _transform(profile, mode) is not None


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None if the profile cannot be used for this mode, or changes nothing."""
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if given.profile.xcolor_space.strip() != _SPACES.get(mode):
            return None
        transform = ImageCms.buildTransform(given, ImageCms.createProfile("sRGB"), mode, "RGB")
        colours = _colours(mode)
        seen = ImageCms.applyTransform(colours, transform)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    assert seen is not None
    if mode == "CMYK":
        return transform
    change = np.asarray(seen).astype(int) - np.asarray(colours.convert("RGB"))
    return transform if np.abs(change).max() > _ROUNDING else None


def _colours(mode: str) -> PIL.Image.Image:
    """Colours from everywhere in the mode's space."""
    levels = np.arange(0, 256, 51, dtype=np.uint8)
    if mode == "L":
        return PIL.Image.fromarray(levels[None])
    grid = np.stack(np.meshgrid(*[levels] * len(mode)), -1)
    return PIL.Image.frombytes(mode, (grid.size // len(mode), 1), grid.tobytes())
