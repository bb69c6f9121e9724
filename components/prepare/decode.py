"""One image file or array -> uint8 pixels of the size and channels that are wanted, or the reason why not.

In order: EXIF orientation; 16-bit grey scaled to 8; transparency over white; grey or RGB; the largest centred square;
bicubic, with antialiasing where that shrinks. Of an animation, the first frame. Colour profiles are not applied.
"""

import errno
import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
from PIL import ExifTags

from components.artifacts.errors import UserError
from components.artifacts.parameters import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

# JPEG's scaled decoding and box reduction are fast but coarse: they must leave at least this factor to the bicubic
# filter. At 3 no pixel of a photo differs by more than 3 of 255 from the bicubic filter alone, at 2 by up to 10.
_FILTER_FACTOR = 3
_LACKING_FILE = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ELOOP)
_TRANSPOSITIONS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Outcome:
    """What became of an image.

    Attributes:
        digest: sha256 of the file's or array's bytes; empty if they could not be read.
        pixels: uint8, size×size×channels; None if the image was rejected.
        reason: why it was rejected, as "kind" or "kind: detail"; else empty.
        enlarged: its short side was below `image.size`.
    """

    digest: bytes
    pixels: np.ndarray | None = None
    reason: str = ""
    enlarged: bool = False


def decode(payload: str | np.ndarray, image: Image) -> Outcome:
    """Decodes the file at a path, or takes pixels (uint8, H×W or H×W×C with C 1, 3 or 4)."""
    return _decode_array(payload, image) if isinstance(payload, np.ndarray) else _decode_file(payload, image)


def _decode_array(pixels: np.ndarray, image: Image) -> Outcome:
    squeezed = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    picture = _eight_bit(PIL.Image.fromarray(np.ascontiguousarray(squeezed)))
    digest = hashlib.sha256(pixels.tobytes()).digest()
    return Outcome(digest, _fit(picture, image), enlarged=min(picture.size) < image.size)


def _decode_file(path: str, image: Image) -> Outcome:
    try:
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            if file.tell() == 0:
                return Outcome(digest, reason="empty file")
            file.seek(0)
            return _decode_open_file(file, digest, image)
    except OSError as error:
        if error.errno not in _LACKING_FILE:
            # Rejecting it would make the dataset depend on the state of a disk or a network.
            raise UserError(f"{path} could not be read ({error.strerror}): run again when its disk answers") from None
        return Outcome(b"", reason=f"cannot be read: {error.strerror}")


def _decode_open_file(file: BinaryIO, digest: bytes, image: Image) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
        try:
            picture: PIL.Image.Image = PIL.Image.open(file, formats=FORMATS)
            enlarged = min(picture.size) < image.size
            picture.draft(None, (image.size * _FILTER_FACTOR, image.size * _FILTER_FACTOR))
            picture.load()
            picture = _eight_bit(_upright(picture))
        except (PIL.Image.DecompressionBombWarning, PIL.Image.DecompressionBombError):
            return Outcome(digest, reason=f"too large: more than {PIL.Image.MAX_IMAGE_PIXELS} pixels")
        except PIL.UnidentifiedImageError:
            return Outcome(digest, reason=f"not an image: none of {', '.join(FORMATS)}")
        except Exception as error:  # A hostile file makes Pillow's readers raise nearly anything.
            return Outcome(digest, reason=f"corrupt: {' '.join(str(error).split()) or type(error).__name__}")
    return Outcome(digest, _fit(picture, image), enlarged=enlarged)


def _upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Broken metadata says nothing, and spoils no picture.
        return picture
    return picture.transpose(_TRANSPOSITIONS[orientation]) if orientation in _TRANSPOSITIONS else picture


def _eight_bit(picture: PIL.Image.Image) -> PIL.Image.Image:
    """To mode L or RGB, transparency over white. Raises: ValueError, if the mode has no known range."""
    if picture.mode.startswith("I;16"):
        wide = np.asarray(picture).astype(np.uint32)
        return PIL.Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise ValueError("32-bit grey, whose white is not known: convert it to 8 or 16 bits")
    if picture.has_transparency_data:
        white = PIL.Image.new("RGBA", picture.size, "white")
        return PIL.Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _fit(picture: PIL.Image.Image, image: Image) -> np.ndarray:
    """The centred square of an L or RGB picture, as uint8, size×size×channels."""
    picture = picture.convert("L" if image.channels == 1 else "RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize(
        (image.size, image.size),
        PIL.Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=_FILTER_FACTOR,
    )
    return np.asarray(square).reshape(image.size, image.size, image.channels)
