"""What is trained for, on which views of the images, by which optimisation, and how often that is reported."""

from dataclasses import dataclass, fields
from typing import Literal

from components.artifacts.parameters.checks import check, one_of, positive, seed


@dataclass
class Objective:
    """The losses of `components.bigbigan.objective`; a weight of 0 leaves a term out."""

    adversarial: str
    average_scores: bool
    latent_regression_encoder: float
    latent_regression_generator: float
    reconstruction_l1: float
    reconstruction_l2: float

    def __post_init__(self) -> None:
        one_of("objective.adversarial", self.adversarial, ("hinge", "hinge_of_sum", "softplus", "none"))
        for name, weight in self.weights().items():
            check(weight >= 0, f"objective.{name}", weight, "0 or more")

    def weights(self) -> dict[str, float]:
        """The weights of the terms that D has no part in."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.type is float}


@dataclass
class ShiftAugmentation:
    kind: Literal["shift"]
    shift: int
    flip: bool
    generated: bool

    def __post_init__(self) -> None:
        check(self.shift >= 0, "augmentation.shift", self.shift, "0 or more pixels")


@dataclass
class CropAugmentation:
    kind: Literal["crop"]
    minimum_area: float
    aspect: float
    flip: bool
    generated: bool

    def __post_init__(self) -> None:
        check(0 < self.minimum_area <= 1, "augmentation.minimum_area", self.minimum_area, "more than 0, at most 1")
        check(self.aspect >= 1, "augmentation.aspect", self.aspect, "1 or more")


Augmentation = ShiftAugmentation | CropAugmentation


@dataclass
class Train:
    seed: int
    steps: int
    batch_size: int
    accumulation_steps: int
    discriminator_steps: int
    simultaneous: bool
    lr: float
    generator_lr_ratio: float
    encoder_lr_ratio: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    warmup_steps: int
    decay_fraction: float
    decay_to: float
    decay_shape: str
    ema_decay: float
    precision: str
    recompute_activations: bool
    standing_batches: int

    def __post_init__(self) -> None:
        seed("train.seed", self.seed)
        for name in ("steps", "accumulation_steps", "discriminator_steps", "lr", "eps"):
            positive(f"train.{name}", getattr(self, name))
        positive("train.standing_batches", self.standing_batches)
        two = "2 or more images: batch normalisation needs them"
        check(self.batch_size >= 2, "train.batch_size", self.batch_size, two)
        part, rest = divmod(self.batch_size, self.accumulation_steps)
        allowed = f"a divisor of train.batch_size, which is {self.batch_size}, that leaves {two}"
        check(rest == 0 and part >= 2, "train.accumulation_steps", self.accumulation_steps, allowed)
        one = not self.simultaneous or self.discriminator_steps == 1
        check(one, "train.discriminator_steps", self.discriminator_steps, "1, because train.simultaneous is true")
        for name in ("generator_lr_ratio", "encoder_lr_ratio", "weight_decay", "warmup_steps"):
            check(getattr(self, name) >= 0, f"train.{name}", getattr(self, name), "0 or more")
        for name in ("beta1", "beta2", "ema_decay"):
            check(0 <= getattr(self, name) < 1, f"train.{name}", getattr(self, name), "at least 0 and less than 1")
        check(0 <= self.decay_fraction <= 1, "train.decay_fraction", self.decay_fraction, "between 0 and 1")
        one_of("train.decay_shape", self.decay_shape, ("linear", "exponential"))
        check(0 <= self.decay_to <= 1, "train.decay_to", self.decay_to, "between 0 and 1")
        reachable = self.decay_shape == "linear" or self.decay_to > 0
        check(reachable, "train.decay_to", self.decay_to, "more than 0, because train.decay_shape is exponential")
        one_of("train.precision", self.precision, ("fp32", "tf32", "bf16", "fp16"))


@dataclass
class Monitoring:
    """How often training reports and saves. No weight depends on it."""

    log_interval: int
    sample_interval: int
    checkpoint_interval: int
    checkpoints_kept: int

    def __post_init__(self) -> None:
        for field in fields(self):
            positive(f"monitoring.{field.name}", getattr(self, field.name))
