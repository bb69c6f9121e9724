import math

import pytest
import torch
from torch import Tensor

from components.artifacts.parameters import Augmentation, CropAugmentation, ShiftAugmentation
from components.train.views import Crops, Shifts, draw_views

SHIFT = ShiftAugmentation(kind="shift", shift=2, flip=True, generated=True)
CROP = CropAugmentation(kind="crop", minimum_area=0.08, aspect=4 / 3, flip=True, generated=False)
SIZE = 128


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def crops() -> Crops:
    views = draw_views(10_000, SIZE, CROP, generator())
    assert isinstance(views, Crops)
    return views


def relative(crops: Crops) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (crops.boxes.double() / SIZE).unbind(1)  # type: ignore[return-value]


def test_shifts_are_drawn_before_flips() -> None:
    views = draw_views(50, 28, SHIFT, generator(3))
    again = generator(3)
    assert isinstance(views, Shifts)
    assert torch.equal(views.shifts, torch.randint(-2, 3, (50, 2), generator=again))
    assert torch.equal(views.flips, torch.rand(50, generator=again) < 0.5)


def test_boxes_lie_in_the_image(crops: Crops) -> None:
    top, left, height, width = relative(crops)
    for start, length in ((top, height), (left, width)):
        assert start.min() >= 0
        assert (start + length).max() <= 1 + 1e-7
    area, aspect = height * width, width / height
    assert area.min() >= 0.08 - 1e-6
    assert area.max() <= 1 + 1e-6
    assert aspect.min() >= 3 / 4 - 1e-6
    assert aspect.max() <= 4 / 3 + 1e-6


def test_areas_are_uniform(crops: Crops) -> None:
    _, _, height, width = relative(crops)
    assert distance_from_uniform((height * width - 0.08) / 0.92) < 0.02


def test_aspects_are_log_uniform_where_all_of_them_fit(crops: Crops) -> None:
    _, _, height, width = relative(crops)
    aspect = (width / height)[height * width < 3 / 4]
    assert distance_from_uniform((aspect.log() / math.log(4 / 3) + 1) / 2) < 0.025


def test_places_are_uniform_and_independent_of_each_other(crops: Crops) -> None:
    top, left, height, width = relative(crops)
    down, right = top / (1 - height), left / (1 - width)
    assert distance_from_uniform(down) < 0.02
    assert distance_from_uniform(right) < 0.02
    assert abs(
        torch.corrcoef(torch.stack([down, right, height * width, crops.flips.double()])) - torch.eye(4)
    ).max() < (0.04)


def test_half_of_the_views_are_mirrored(crops: Crops) -> None:
    assert 0.48 < crops.flips.float().mean() < 0.52


def test_a_box_is_the_same_part_of_an_image_of_any_size() -> None:
    small, large = (draw_views(9, size, CROP, generator()) for size in (64, 256))
    assert isinstance(small, Crops)
    assert isinstance(large, Crops)
    torch.testing.assert_close(4 * small.boxes, large.boxes)


def test_an_area_of_one_is_the_whole_image() -> None:
    whole = CropAugmentation(kind="crop", minimum_area=1.0, aspect=4 / 3, flip=False, generated=False)
    views = draw_views(100, SIZE, whole, generator())
    assert isinstance(views, Crops)
    assert torch.equal(views.boxes, torch.tensor([[0.0, 0.0, SIZE, SIZE]]).expand(100, 4))
    assert not views.flips.any()


@pytest.mark.parametrize("augmentation", [SHIFT, CROP], ids=["shift", "crop"])
def test_parts_of_a_draw_make_up_the_draw(augmentation: Augmentation) -> None:
    views = draw_views(12, SIZE, augmentation, generator())
    parts = [views[first : first + 3] for first in range(0, 12, 3)]
    for name, whole in vars(views).items():
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), whole)
        assert len(getattr(parts[0], name)) == 3


@pytest.mark.parametrize("augmentation", [SHIFT, CROP], ids=["shift", "crop"])
def test_views_move_to_a_device_as_a_whole(augmentation: Augmentation) -> None:
    views = draw_views(2, SIZE, augmentation, generator()).to("meta")
    assert {tensor.device.type for tensor in vars(views).values()} == {"meta"}


def distance_from_uniform(values: Tensor) -> float:
    """Kolmogorov and Smirnov's: the largest distance between the distribution functions. About 1/√N by chance."""
    ordered = values.sort().values
    return (ordered - torch.linspace(0, 1, len(values))).abs().max().item()
