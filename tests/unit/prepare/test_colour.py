"""Embedded profiles: colours come out as a viewer shows them, and a profile that says nothing changes nothing."""

import io

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from components.artifacts.parameters import Image
from components.prepare.colour import changes_colours
from components.prepare.decode import decode

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """sRGB, but with what is called red and what is called blue exchanged: no colour can be mistaken."""
    content = bytearray(SRGB)
    tags = range(132, 132 + 12 * int.from_bytes(content[128:132], "big"), 12)
    table = {bytes(content[at : at + 4]): at for at in tags}
    red, blue = table[b"rXYZ"], table[b"bXYZ"]
    content[red : red + 4], content[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(content)


def pixel(mode: str, colour: object, kind: str, profile: bytes, channels: int = 3, **options: object) -> list[int]:
    buffer = io.BytesIO()
    PIL.Image.new(mode, (40, 32), colour).save(buffer, kind, icc_profile=profile, **options)
    outcome = decode(buffer.getvalue(), Image(16, channels))
    assert outcome.reason == ""
    return outcome.pixels[8, 8].tolist()


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("JPEG", {"quality": 100, "subsampling": 0}), ("TIFF", {})])
def test_a_profile_is_applied(kind, options):
    seen = pixel("RGB", (250, 10, 10), kind, swapped_profile(), **options)
    np.testing.assert_allclose(seen, (10, 10, 250), atol=4)


def test_a_profile_is_applied_before_colour_becomes_grey():
    seen = pixel("RGB", (250, 10, 10), "JPEG", swapped_profile(), channels=1, quality=100, subsampling=0)
    np.testing.assert_allclose(seen, [0.299 * 10 + 0.587 * 10 + 0.114 * 250], atol=3)


@pytest.mark.parametrize(
    "profile", [SRGB, b"no profile at all", SRGB[:200], b""], ids=["sRGB", "words", "cut", "empty"]
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_profile_that_says_nothing_new_changes_no_pixel(profile, mode):
    colour = {"RGB": (250, 10, 60), "RGBA": (250, 10, 60, 255), "L": 77}[mode]
    expected = [77, 77, 77] if mode == "L" else [250, 10, 60]
    assert pixel(mode, colour, "PNG", profile) == expected


def test_a_profile_that_is_srgb_costs_no_transform():
    assert not changes_colours(SRGB, "RGB")
    assert changes_colours(swapped_profile(), "RGB")
    assert not changes_colours(swapped_profile(), "L")
