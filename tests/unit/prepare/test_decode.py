"""Every kind of picture, good or hostile, becomes the pixels that a careful person would expect, or a reason."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from components.artifacts.parameters import Image
from components.prepare.decode import Outcome, decode

RGB = Image(size=16, channels=3)
GREY = Image(size=16, channels=1)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def saved(path: Path, picture: PIL.Image.Image, **options: object) -> str:
    picture.save(path, **options)
    return str(path)


def decoded(path: str, image: Image) -> Outcome:
    return decode(Path(path).read_bytes(), image)


def plain(mode: str, colour: object, size: tuple[int, int] = (16, 16)) -> PIL.Image.Image:
    return PIL.Image.new(mode, size, colour)


def photo(width: int, height: int) -> PIL.Image.Image:
    """Smooth in large, with hard edges and noise in small."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    pixels = 128 + 90 * np.stack([np.sin(x / 37), np.cos(y / 51), np.sin((x + y) / 29)], -1)
    pixels[height // 3 : height // 3 + 20] = 255
    return PIL.Image.fromarray(np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8))


# ------------------------------------------------------------------------------------------ kinds of pictures


def cmyk(path: Path) -> str:
    return saved(path / "a.jpg", plain("CMYK", (0, 255, 255, 0)), quality=100)


def palette(path: Path) -> str:
    picture = plain("P", 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return saved(path / "a.png", picture)


def transparent_palette(path: Path) -> str:
    picture = plain("P", 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return saved(path / "a.png", picture, transparency=1)


def transparent_rgb_key(path: Path) -> str:
    return saved(path / "a.png", plain("RGB", RED), transparency=RED)


def animation(path: Path) -> str:
    first, second = plain("RGB", RED), plain("RGB", BLUE)
    return saved(path / "a.gif", first, save_all=True, append_images=[second])


def two_pages(path: Path) -> str:
    return saved(path / "a.tif", plain("RGB", RED), save_all=True, append_images=[plain("RGB", BLUE)])


def phone_photo(path: Path) -> str:
    picture = plain("RGB", RED)
    return saved(path / "a.jpg", picture, format="MPO", save_all=True, append_images=[picture], quality=100)


@pytest.mark.parametrize(
    ("make", "expected", "tolerance"),
    [
        (lambda path: saved(path / "a.png", plain("RGB", RED)), RED, 0),
        (lambda path: saved(path / "a.jpg", plain("RGB", RED), quality=100), RED, 3),
        (lambda path: saved(path / "a.webp", plain("RGB", RED), lossless=True), RED, 0),
        (lambda path: saved(path / "a.bmp", plain("RGB", RED)), RED, 0),
        (lambda path: saved(path / "a.tif", plain("RGB", RED)), RED, 0),
        (lambda path: saved(path / "a.png", plain("1", 1)), WHITE, 0),
        (lambda path: saved(path / "a.png", plain("L", 70)), (70, 70, 70), 0),
        (lambda path: saved(path / "a.png", plain("LA", (0, 128))), (127, 127, 127), 0),
        (lambda path: saved(path / "a.png", plain("RGBA", (255, 0, 0, 0))), WHITE, 0),
        (lambda path: saved(path / "a.png", plain("RGBA", (255, 0, 0, 51))), (255, 204, 204), 0),
        (lambda path: saved(path / "a.webp", plain("RGBA", (255, 0, 0, 0)), lossless=True), WHITE, 0),
        (lambda path: saved(path / "a.tif", plain("I;16", 65535)), WHITE, 0),
        (cmyk, RED, 4),
        (palette, RED, 0),
        (transparent_palette, WHITE, 0),
        (transparent_rgb_key, WHITE, 0),
        (animation, RED, 0),
        (two_pages, RED, 0),
        (phone_photo, RED, 3),
    ],
)
def test_a_plain_picture_of_any_kind_keeps_its_colour(tmp_path, make, expected, tolerance):
    outcome = decoded(make(tmp_path), RGB)
    assert outcome.reason == ""
    assert outcome.pixels.dtype == np.uint8
    assert outcome.pixels.shape == (16, 16, 3)
    np.testing.assert_allclose(outcome.pixels.reshape(-1, 3).astype(int), [expected] * 256, atol=tolerance)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (255, 1), (257 * 100, 100), (40000, 156), (65535, 255)])
def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path, value, expected):
    path = saved(tmp_path / "a.png", PIL.Image.fromarray(np.full((16, 16), value, np.uint16)))
    assert np.unique(decoded(path, GREY).pixels).tolist() == [expected]


def test_colour_becomes_luma_for_grey(tmp_path):
    path = saved(tmp_path / "a.png", plain("RGB", GREEN))
    pixels = decoded(path, GREY).pixels
    assert pixels.shape == (16, 16, 1)
    assert np.unique(pixels).tolist() == [150]


# ------------------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    upright = np.zeros((16, 16, 3), np.uint8)
    upright[:8, :8], upright[:8, 8:], upright[8:, :8] = RED, GREEN, BLUE
    # What a camera stores so that the viewer's turn gives `upright`.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = PIL.Image.Exif()
    exif[274] = orientation
    path = saved(tmp_path / "a.png", PIL.Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_array_equal(decoded(path, RGB).pixels, upright)


def test_broken_exif_spoils_no_picture(tmp_path):
    path = saved(tmp_path / "a.jpg", plain("RGB", RED), exif=b"Exif\0\0MM\0*\0\0\xff\xff garbage")
    assert decoded(path, RGB).pixels is not None


@pytest.mark.parametrize(("width", "height"), [(48, 16), (16, 48), (480, 160), (49, 16)])
def test_the_centre_is_kept(tmp_path, width, height):
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + side, left : left + side] = RED
    outcome = decoded(saved(tmp_path / "a.png", PIL.Image.fromarray(pixels)), RGB)
    np.testing.assert_array_equal(outcome.pixels[2:-2, 2:-2], np.broadcast_to(RED, (12, 12, 3)))
    assert outcome.short_side == side


def test_pixels_of_the_right_size_are_untouched():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 17, 3), np.uint8)
    np.testing.assert_array_equal(decode(pixels, RGB).pixels, pixels[:, :16])


@pytest.mark.parametrize(
    ("size", "enlarged"), [((1, 1), True), ((15, 400), True), ((400, 15), True), ((16, 16), False), ((400, 16), False)]
)
def test_small_images_are_enlarged(tmp_path, size, enlarged):
    outcome = decoded(saved(tmp_path / "a.png", plain("RGB", RED, size)), RGB)
    assert outcome.pixels.shape == (16, 16, 3)
    assert (outcome.short_side < RGB.size) == enlarged


def test_a_large_jpeg_that_is_decoded_scaled_keeps_its_own_size(tmp_path):
    assert decoded(saved(tmp_path / "a.jpg", photo(640, 480)), RGB).short_side == 480


@pytest.mark.parametrize("size", [16, 28, 64, 128])
def test_scaled_jpeg_decoding_cannot_be_seen(tmp_path, size):
    path = saved(tmp_path / "a.jpg", photo(768, 768), quality=92)
    with PIL.Image.open(path) as picture:
        slow = np.asarray(picture.resize((size, size), PIL.Image.Resampling.BICUBIC)).astype(int)
    difference = np.abs(decoded(path, Image(size=size, channels=3)).pixels - slow)
    assert difference.max() <= 4
    assert difference.mean() < 1


@pytest.mark.parametrize(("width", "height"), [(775, 801), (1001, 667), (799, 1203)])
def test_sizes_that_eighths_do_not_divide_are_neither_stretched_nor_shifted(tmp_path, width, height):
    y, x = np.mgrid[:height, :width]
    smooth = 128 + 60 * np.stack([np.sin(x / 60), np.cos(y / 60), np.sin((x + y) / 80)], -1)
    path = saved(tmp_path / "a.jpg", PIL.Image.fromarray(smooth.astype(np.uint8)), quality=95)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    with PIL.Image.open(path) as picture:
        box = (left, top, left + side, top + side)
        slow = np.asarray(picture.resize((64, 64), PIL.Image.Resampling.BICUBIC, box=box)).astype(int)
    # A sixth of a pixel of the result, in which these waves rise by up to 20 levels, and 3 for the scaled decoding.
    assert np.abs(decoded(path, Image(size=64, channels=3)).pixels - slow).max() <= 20 / 6 + 3


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_becomes_grey_as_by_pillow(tmp_path, mode):
    path = saved(tmp_path / "a.jpg", photo(100, 80).convert(mode), quality=92)
    with PIL.Image.open(path) as picture:
        square = picture.convert("L").crop((10, 0, 90, 80))
        slow = np.asarray(square.resize((16, 16), PIL.Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(decoded(path, GREY).pixels[:, :, 0] - slow).max() <= 2


@pytest.mark.parametrize("size", [(30_000, 2), (2, 30_000), (30_000, 40)])
def test_an_image_of_30_000_px_is_read_where_its_pixels_are_few(tmp_path, size):
    outcome = decoded(saved(tmp_path / "a.png", plain("RGB", RED, size)), RGB)
    assert outcome.short_side == min(size)
    np.testing.assert_array_equal(outcome.pixels, np.broadcast_to(RED, (16, 16, 3)))


def test_a_file_is_known_by_its_content_and_not_by_its_name(tmp_path):
    plain("RGB", RED).save(tmp_path / "a.jpg", "PNG")
    np.testing.assert_array_equal(decoded(str(tmp_path / "a.jpg"), RGB).pixels[0, 0], RED)


def test_shrinking_is_antialiased(tmp_path):
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    pixels = decoded(saved(tmp_path / "a.png", PIL.Image.fromarray(stripes)), GREY).pixels
    assert abs(pixels[:, 1:-1].astype(int) - 127).max() <= 2


# ------------------------------------------------------------------------------------------------ rejections


def png_with_size(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its few bytes hold."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 10)) + chunk(b"IEND", b"")
    )


def encoded(kind: str, picture: PIL.Image.Image | None = None) -> bytes:
    buffer = io.BytesIO()
    (picture or photo(64, 64)).save(buffer, kind)
    return buffer.getvalue()


def flipped_in_the_middle(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + 8]) + content[middle + 8 :]


HOSTILE = {
    "zero-byte": (b"", "empty file"),
    "text": (b"this is no picture\n" * 9, "not an image"),
    "page": (b"<html><body>404</body></html>", "not an image"),
    "other format": (encoded("PPM"), "not an image"),
    "header only": (b"\x89PNG\r\n\x1a\n", "not an image"),
    "truncated jpeg": (encoded("JPEG")[:-500], "corrupt"),
    "truncated png": (encoded("PNG")[:-500], "corrupt"),
    "truncated gif": (encoded("GIF")[:-500], "corrupt"),
    "truncated bmp": (encoded("BMP")[:-500], "corrupt"),
    "truncated tiff": (encoded("TIFF")[:-500], "corrupt"),
    "corrupt png": (flipped_in_the_middle(encoded("PNG")), "corrupt"),
    "32-bit float": (encoded("TIFF", PIL.Image.fromarray(np.ones((16, 16), np.float32))), "corrupt"),
    "too few pixels for its header": (png_with_size(64, 64), "corrupt"),
    "bomb": (png_with_size(60_000, 60_000), "too large"),
    "30,000 px in both directions": (png_with_size(30_000, 30_000), "too large"),
    "small bomb": (png_with_size(11_000, 11_000), "too large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_used_gets_a_reason_and_no_pixels(tmp_path, name):
    content, kind = HOSTILE[name]
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    outcome = decoded(str(path), RGB)
    assert outcome.pixels is None
    assert outcome.reason.split(":")[0] == kind
    assert str(tmp_path) not in outcome.reason
    assert "0x" not in outcome.reason
    assert "\n" not in outcome.reason


def test_truncated_webp_is_rejected(tmp_path):
    path = tmp_path / "a.webp"
    path.write_bytes(encoded("WEBP")[:-500])
    assert decoded(str(path), RGB).pixels is None


def test_the_limit_of_pixels_is_pillows(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", plain("RGB", RED, (40, 40)))
    assert decoded(path, RGB).pixels is not None
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    assert decoded(path, RGB).reason == "too large: more than 1000 pixels"
