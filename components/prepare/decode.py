"""One image's content -> uint8 pixels of the size and channels that are wanted, or the reason why not.

In order: EXIF orientation; 16-bit grey scaled to 8; transparency over white; grey or RGB; the largest centred square;
bicubic, with antialiasing where that shrinks; from an embedded colour profile to sRGB. Of an animation, the first
frame. A large JPEG is decoded at a fraction of its size; its square may then lie off the centre by up to a sixth of a
pixel of the result.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
import PIL.Image
import simplejpeg
from PIL import ExifTags

from components.artifacts.parameters import Image
from components.prepare.colour import changes_colours, to_srgb
from components.prepare.resize import resize
from components.prepare.sources.source import Content, Unreadable, corrupt

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

# JPEG's scaled decoding is fast but coarse: it must leave at least this factor to the bicubic filter. At 3 no pixel of
# a photo differs by more than 4 of 255 from the bicubic filter alone, at 2 by 10, at 1 by 40.
_FILTER_FACTOR = 3
_TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}


@dataclass(frozen=True)
class Outcome:
    """What became of an image.

    Attributes:
        digest: sha256 of its content as it was read; empty if it could not be.
        pixels: uint8, size×size×channels; None if the image was rejected.
        reason: why it was rejected, as "kind" or "kind: detail"; else empty.
        short_side: of the image as it was, in pixels; 0 if it was rejected.
    """

    digest: bytes
    pixels: np.ndarray | None = None
    reason: str = ""
    short_side: int = 0


def decode(content: Content, image: Image) -> Outcome:
    if isinstance(content, Unreadable):
        return Outcome(b"", reason=content.reason)
    digest = hashlib.sha256(content if isinstance(content, bytes) else content.tobytes()).digest()
    if isinstance(content, bytes):
        return _decode_bytes(content, digest, image)
    pixels = content if content.ndim == 3 else content[:, :, None]
    if pixels.shape[2] == 4:
        pixels = _plain(PIL.Image.fromarray(np.ascontiguousarray(pixels)), None)
    return Outcome(digest, _channels(_fit(pixels, image.size), image.channels), short_side=min(content.shape[:2]))


def _decode_bytes(content: bytes, digest: bytes, image: Image) -> Outcome:
    if not content:
        return Outcome(digest, reason="empty file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
        try:
            with PIL.Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                pixels, short_side = _decode_picture(picture, content, image), min(picture.size)
        except (PIL.Image.DecompressionBombWarning, PIL.Image.DecompressionBombError):
            return Outcome(digest, reason=f"too large: more than {PIL.Image.MAX_IMAGE_PIXELS} pixels")
        except PIL.UnidentifiedImageError:
            return Outcome(digest, reason=f"not an image: none of {', '.join(FORMATS)}")
        except Exception as error:  # A hostile file makes Pillow's readers raise nearly anything.
            return Outcome(digest, reason=corrupt(error))
    return Outcome(digest, pixels, short_side=short_side)


def _decode_picture(picture: PIL.Image.Image, content: bytes, image: Image) -> np.ndarray:
    profile = picture.info.get("icc_profile")
    pixels = _jpeg(picture, content, image, profile)
    if pixels is None:
        pixels = _plain(picture, profile)
    # Only now: to look for metadata, Pillow reads a PNG's pixels, and what is wrong with them would be said there.
    turn = _TURNS.get(_orientation(picture))
    fitted = _fit(pixels if turn is None else turn(pixels), image.size)
    if profile is not None:
        fitted = _array(to_srgb(PIL.Image.fromarray(fitted[:, :, 0] if fitted.shape[2] == 1 else fitted), profile))
    return _channels(fitted, image.channels)


def _orientation(picture: PIL.Image.Image) -> int:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Broken metadata says nothing, and spoils no picture.
        return 1


def _jpeg(picture: PIL.Image.Image, content: bytes, image: Image, profile: bytes | None) -> np.ndarray | None:
    """Grey and RGB JPEG files, by their fast way; None for others, and for what is left to Pillow to judge."""
    if picture.format not in ("JPEG", "MPO") or picture.mode not in ("L", "RGB"):
        return None
    grey = picture.mode == "L" or (image.channels == 1 and not changes_colours(profile, "RGB"))
    least = _FILTER_FACTOR * image.size
    try:
        return simplejpeg.decode_jpeg(
            content, "GRAY" if grey else "RGB", min_height=least, min_width=least, min_factor=2
        )
    except ValueError:
        return None


def _plain(picture: PIL.Image.Image, profile: bytes | None) -> np.ndarray:
    """Any picture as grey or RGB, H×W×C. Raises: ValueError, if its mode has no known range."""
    picture.load()
    if picture.mode.startswith("I;16"):
        wide = np.asarray(picture).astype(np.uint32)
        return ((wide * 255 + 32767) // 65535).astype(np.uint8)[:, :, None]
    if picture.mode in ("I", "F"):
        raise ValueError("32-bit grey, whose white is not known: convert it to 8 or 16 bits")
    if picture.has_transparency_data:
        white = PIL.Image.new("RGBA", picture.size, "white")
        return _array(PIL.Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB"))
    if picture.mode == "CMYK":
        picture = to_srgb(picture, profile)
    return _array(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))


def _array(picture: PIL.Image.Image) -> np.ndarray:
    """H×W×C of a picture of mode L or RGB."""
    pixels = np.asarray(picture)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Grey or RGB, H×W×C, as the other where that is wanted."""
    if pixels.shape[2] == channels:
        return pixels
    return np.repeat(pixels, 3, axis=2) if channels == 3 else _array(PIL.Image.fromarray(pixels).convert("L"))


def _fit(pixels: np.ndarray, size: int) -> np.ndarray:
    """The centred square, size×size×C."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(pixels[top : top + side, left : left + side], size)
