"""Images, and how the dataset is made of them."""

from dataclasses import dataclass
from typing import Literal

from components.artifacts.parameters.checks import check, fraction, one_of, positive, seed


@dataclass
class Image:
    """What an image is, for every step."""

    size: int
    channels: int

    def __post_init__(self) -> None:
        check(self.size >= 8, "image.size", self.size, "at least 8 pixels")
        one_of("image.channels", self.channels, (1, 3))


@dataclass
class Prepare:
    split_seed: int
    validation_fraction: float
    test_fraction: float
    maximum_rejected_fraction: float
    duplicates_across_splits: Literal["refuse", "drop", "allow"]
    shard_images: int

    def __post_init__(self) -> None:
        seed("prepare.split_seed", self.split_seed)
        fraction("prepare.validation_fraction", self.validation_fraction)
        fraction("prepare.test_fraction", self.test_fraction)
        fraction("prepare.maximum_rejected_fraction", self.maximum_rejected_fraction)
        held_out = self.validation_fraction + self.test_fraction
        check(held_out < 1, "prepare.test_fraction", self.test_fraction, "less than 1 - prepare.validation_fraction")
        positive("prepare.shard_images", self.shard_images)
