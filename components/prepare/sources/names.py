"""Which entries of a tree of files are images, and which are passed over.

An image is an entry whose name ends as one (`EXTENSIONS`), or whose first bytes are those of a format that is read:
only these can be rejected. Any other is listed as "not an image" and counts for nothing. Hidden entries, and what
Windows and archives leave behind, are passed over.
"""

import os

_READ = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
# A photo that is left out must be seen to be left out.
_NOT_READ = (".heic", ".heif", ".avif", ".jp2", ".jxl", ".psd", ".svg", ".tga", ".ppm", ".pgm", ".exr", ".dng", ".nef")
EXTENSIONS = frozenset(_READ + _NOT_READ)
# Bytes from the start of a file that `looks_like_image` needs.
START_BYTES = 32

_LEFT_BEHIND = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"})
_BITMAP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)


def named_as_image(name: str | bytes) -> bool:
    return os.path.splitext(os.fsdecode(name))[1].lower() in EXTENSIONS  # noqa: PTH122 - a million names


def looks_like_image(start: bytes) -> bool:
    return (
        start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"))
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        # "BM" alone would take any text that starts so.
        or (start[:2] == b"BM" and int.from_bytes(start[14:18], "little") in _BITMAP_HEADER_SIZES)
    )


def passed_over(part: str) -> bool:
    """Whether an entry with this name, and all that is in it, is passed over without a word."""
    return part.startswith(".") or part.casefold() in _LEFT_BEHIND
