import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from components.artifacts.parameters import CropAugmentation
from components.bigbigan.pixels import at_size, to_float
from components.train.augmentation import augment
from components.train.views import Crops, Shifts, Views, draw_views

CROP = CropAugmentation(kind="crop", minimum_area=0.08, aspect=4 / 3, flip=True, generated=False)


def shifts(shifts: list[tuple[int, int]], flips: list[bool]) -> Shifts:
    return Shifts(torch.tensor(shifts), torch.tensor(flips))


def crops(boxes: list[tuple[float, float, float, float]], flips: list[bool]) -> Crops:
    return Crops(torch.tensor(boxes), torch.tensor(flips))


def random_crops(count: int, size: int) -> Crops:
    views = draw_views(count, size, CROP, torch.Generator().manual_seed(0))
    assert isinstance(views, Crops)
    return views


def noise(count: int, size: int, channels: int) -> np.ndarray:
    """The roughest images there are: the kernel overshoots and is cut off everywhere."""
    return np.random.default_rng(0).integers(0, 2, (count, size, size, channels), dtype=np.uint8) * 255


def test_a_shift_moves_the_image_and_repeats_the_edge() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    down_right = augment(image, shifts([(1, 1)], [False]))
    assert down_right[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [3, 3, 4]]
    up_left = augment(image, shifts([(-1, -1)], [False]))
    assert up_left[0, 0].tolist() == [[4, 5, 5], [7, 8, 8], [7, 8, 8]]


def test_a_flip_mirrors_left_to_right() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert torch.equal(augment(image, shifts([(0, 0)], [True])), image.flip(3))


def test_each_image_has_its_own_view_and_all_channels_share_it() -> None:
    images = torch.randn(3, 2, 5, 5)
    seen = augment(images, shifts([(0, 0), (2, 0), (0, -1)], [False, False, True]))
    assert torch.equal(seen[0], images[0])
    assert torch.equal(seen[1][:, 2:], images[1][:, :3])
    assert torch.equal(seen[2], augment(images[2:], shifts([(0, -1)], [True]))[0])


def test_gradients_flow_back_to_the_pixels_that_were_seen() -> None:
    images = torch.randn(1, 1, 4, 4, requires_grad=True)
    augment(images, shifts([(1, 0)], [False])).sum().backward()
    assert images.grad is not None
    assert images.grad[0, 0].tolist() == [[2.0] * 4, [1.0] * 4, [1.0] * 4, [0.0] * 4]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_crop_is_that_of_pillow(channels: int) -> None:
    """Within 1.13 of 255 levels: Pillow rounds twice, and the kernel's absolute weights sum to 1.25 at most."""
    images, views = noise(24, 40, channels), random_crops(24, 40)
    seen = (augment(to_float(images), views).permute(0, 2, 3, 1) + 1) * 127.5
    for image, view, box, flip in zip(images, seen, views.boxes.tolist(), views.flips.tolist(), strict=True):
        top, left, height, width = box
        expected = Image.fromarray(image.squeeze()).resize(
            (40, 40), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height)
        )
        if flip:
            expected = expected.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert np.abs(view.numpy() - np.asarray(expected).reshape(40, 40, channels)).max() <= 1.13


def test_the_whole_box_is_the_image_itself() -> None:
    images = to_float(noise(2, 13, 3))
    seen = augment(images, crops([(0, 0, 13, 13)] * 2, [False, True]))
    assert torch.equal(seen, torch.stack([images[0], images[1].flip(2)]))


def test_a_box_off_the_centre_shows_its_place() -> None:
    """On a ramp, whose values are the places: the kernel reproduces linear functions."""
    down, right = torch.meshgrid(torch.arange(16.0) + 0.5, torch.arange(16.0) + 0.5, indexing="ij")
    seen = augment(torch.stack([down, right])[None] / 16, crops([(2, 5, 8, 4)], [True]))[0] * 16
    steps = (torch.arange(16) + 0.5) / 16
    torch.testing.assert_close(seen[0], (2 + 8 * steps)[:, None].expand(16, 16))
    torch.testing.assert_close(seen[1], (9 - 4 * steps).expand(16, 16))


def test_the_average_of_a_view_is_the_view_of_the_average() -> None:
    """E sees the view, D its average. On a ramp, away from the edges, averaging first makes no difference."""
    ramp = (torch.arange(32.0) / 16 - 1).expand(1, 1, 32, 32).contiguous()
    large = augment(ramp, crops([(6, 8, 12, 14)], [False]))
    small = augment(at_size(ramp, 16), crops([(3, 4, 6, 7)], [False]))
    torch.testing.assert_close(at_size(large, 16), small)


def test_a_crop_stays_within_the_range_of_pixels() -> None:
    seen = augment(to_float(noise(8, 20, 1)), random_crops(8, 20))
    assert seen.min() == -1
    assert seen.max() == 1


def test_images_of_a_batch_do_not_see_each_other() -> None:
    images, views = to_float(noise(6, 16, 3)), random_crops(6, 16)
    one_by_one = [augment(images[n : n + 1], views[n : n + 1]) for n in range(6)]
    assert torch.equal(augment(images, views), torch.cat(one_by_one))


def test_images_need_not_be_square() -> None:
    image = torch.rand(1, 2, 6, 9)
    assert torch.equal(augment(image, crops([(0, 0, 6, 9)], [True])), image.flip(3))


def test_gradients_of_a_crop_are_right() -> None:
    # Small values, so that the clamp's kinks are out of reach.
    images = 0.3 * torch.rand(2, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    views = crops([(0.3, 1.2, 2.5, 2.1), (0, 0, 3.7, 4)], [False, True])
    assert torch.autograd.gradcheck(lambda images: augment(images, views), images.requires_grad_())


@pytest.mark.parametrize(
    "views", [shifts([(1, -2)] * 4, [False, True] * 2), random_crops(4, 16)], ids=["shift", "crop"]
)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_type_and_memory_format_are_kept(views: Views, memory_format: torch.memory_format, dtype: torch.dtype) -> None:
    images = to_float(noise(4, 16, 3))
    with torch.autocast("cpu", torch.bfloat16):
        seen = augment(images.to(dtype).contiguous(memory_format=memory_format), views)
    assert seen.dtype == dtype
    assert seen.is_contiguous(memory_format=memory_format)
    assert_within(seen, augment(images, views), torch.finfo(dtype).eps)


def assert_within(seen: Tensor, expected: Tensor, eps: float) -> None:
    """Only the last rounding may differ, and the rounding of a type as wide as float32."""
    assert (seen.double() - expected.double()).abs().max() <= max(eps, 4e-6)
