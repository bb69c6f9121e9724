"""The pictures, embedded, with what they show."""

import base64
import io
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A sheet of small images stays far below; photographs as PNG do not.
_LARGEST_AS_IT_IS = 1_000_000  # bytes
_WEBP_QUALITY = 92

# By file name, in this order; what is not named here comes last, under its own name.
_CAPTIONS = {
    "samples": "Samples G(z), not picked, with averaged weights and latents as they are drawn in training.",
    "reconstructions": "Rows in pairs: test images, and right below each its reconstruction G(E(x)).",
    "interpolations": "From one test image to another: between the two, G along a straight line in latent space.",
    "memorisation": "The samples that lie nearest to a train image, beside the train images that they lie nearest to.",
    "confusion": "Which class (row) the linear probe takes for which (column), on test images.",
    "per_class": "The linear probe's accuracy on each class, the worst first.",
    "neighbours": "Test images, and to the right of each the train images that E's features find nearest.",
    "contact_sheet": "Images of the train split; with up to ten classes each begins on a row of its own.",
}
# The page draws these itself, from the same numbers.
_DRAWN_HERE = {"curves", "data_sheet"}


@dataclass(frozen=True)
class Picture:
    """`data` is a data URI; None: the file is no picture that a page could show. Width and height in pixels."""

    name: str
    caption: str
    data: str | None
    width: int
    height: int


def read_pictures(directory: Path) -> list[Picture]:
    """All PNG files of a folder, those with a known caption first."""
    order = list(_CAPTIONS)
    paths = [path for path in directory.glob("*.png") if path.stem not in _DRAWN_HERE]
    paths.sort(key=lambda path: (order.index(path.stem) if path.stem in order else len(order), path.name))
    return [_read(path) for path in paths]


def _read(path: Path) -> Picture:
    content = path.read_bytes()
    caption = _CAPTIONS.get(path.stem, path.stem.replace("_", " "))
    if not content.startswith(_SIGNATURE) or len(content) < 24:
        return Picture(path.name, caption, None, 0, 0)
    width, height = struct.unpack(">II", content[16:24])
    kind = "png"
    if len(content) > _LARGEST_AS_IT_IS:
        kind, content = "webp", _as_webp(content)
    return Picture(path.name, caption, f"data:image/{kind};base64,{base64.b64encode(content).decode()}", width, height)


def _as_webp(png: bytes) -> bytes:
    """The same pixels, but for what nobody sees, in a fraction of the bytes."""
    target = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(target, "WEBP", quality=_WEBP_QUALITY)
    return target.getvalue()
