import torch

from components.train.augmentation import augment
from components.train.draws import Views


def views(shifts: list[tuple[int, int]], flips: list[bool]) -> Views:
    return Views(torch.tensor(shifts), torch.tensor(flips))


def test_a_shift_moves_the_image_and_repeats_the_edge() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    down_right = augment(image, views([(1, 1)], [False]))
    assert down_right[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [3, 3, 4]]
    up_left = augment(image, views([(-1, -1)], [False]))
    assert up_left[0, 0].tolist() == [[4, 5, 5], [7, 8, 8], [7, 8, 8]]


def test_a_flip_mirrors_left_to_right() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert torch.equal(augment(image, views([(0, 0)], [True])), image.flip(3))


def test_each_image_has_its_own_view_and_all_channels_share_it() -> None:
    images = torch.randn(3, 2, 5, 5)
    seen = augment(images, views([(0, 0), (2, 0), (0, -1)], [False, False, True]))
    assert torch.equal(seen[0], images[0])
    assert torch.equal(seen[1][:, 2:], images[1][:, :3])
    assert torch.equal(seen[2], augment(images[2:], views([(0, -1)], [True]))[0])


def test_gradients_flow_back_to_the_pixels_that_were_seen() -> None:
    images = torch.randn(1, 1, 4, 4, requires_grad=True)
    augment(images, views([(1, 0)], [False])).sum().backward()
    assert images.grad is not None
    assert images.grad[0, 0].tolist() == [[2.0] * 4, [1.0] * 4, [1.0] * 4, [0.0] * 4]
