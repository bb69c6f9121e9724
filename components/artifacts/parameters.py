"""The typed sections of `resolved.yaml`: what each step may be told, and what is allowed.

There are no defaults here (but that a condition of the gate that is not named is no condition). Every value stands
in `params/`, with its meaning and unit beside it; these classes say which keys exist and of which type they are, and
refuse what cannot work. `components.compose` hands them to Hydra as the schema; a step loads just the sections that
it depends on:

    image, train = load(path, image=Image, train=Train)
"""

import math
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from components.artifacts.errors import UserError

# ----------------------------------------------------------------------------------------------- sections


@dataclass
class Image:
    """What an image is, for every step."""

    size: int
    channels: int

    def __post_init__(self) -> None:
        _check(self.size >= 8, "image.size", self.size, "at least 8 pixels")
        _one_of("image.channels", self.channels, (1, 3))


@dataclass
class Prepare:
    split_seed: int
    validation_fraction: float
    test_fraction: float
    maximum_rejected_fraction: float
    shard_images: int

    def __post_init__(self) -> None:
        _seed("prepare.split_seed", self.split_seed)
        _fraction("prepare.validation_fraction", self.validation_fraction)
        _fraction("prepare.test_fraction", self.test_fraction)
        _fraction("prepare.maximum_rejected_fraction", self.maximum_rejected_fraction)
        held_out = self.validation_fraction + self.test_fraction
        _check(held_out < 1, "prepare.test_fraction", self.test_fraction, "less than 1 - prepare.validation_fraction")
        _positive("prepare.shard_images", self.shard_images)


@dataclass
class Latent:
    size: int
    distribution: str

    def __post_init__(self) -> None:
        _positive("model.latent.size", self.size)
        _one_of("model.latent.distribution", self.distribution, ("normal", "uniform"))


@dataclass
class Generator:
    channels: int
    multipliers: list[int]
    embedding_size: int
    attention_resolution: int

    def __post_init__(self) -> None:
        _positive("model.generator.channels", self.channels)
        _check(
            len(self.multipliers) >= 2 and min(self.multipliers) > 0,
            "model.generator.multipliers",
            self.multipliers,
            "two or more positive numbers: the seed's, then one per block",
        )
        _positive("model.generator.embedding_size", self.embedding_size)


@dataclass
class Discriminator:
    channels: int
    multipliers: list[int]
    downsampling_blocks: int
    attention_resolution: int
    head_width: int
    head_layers: int
    image_unary: bool
    latent_unary: bool

    def __post_init__(self) -> None:
        _positive("model.discriminator.channels", self.channels)
        _check(
            len(self.multipliers) >= 1 and min(self.multipliers) > 0,
            "model.discriminator.multipliers",
            self.multipliers,
            "one or more positive numbers, one per block",
        )
        _check(
            0 <= self.downsampling_blocks <= len(self.multipliers),
            "model.discriminator.downsampling_blocks",
            self.downsampling_blocks,
            "0 to the number of blocks",
        )
        _positive("model.discriminator.head_width", self.head_width)
        _positive("model.discriminator.head_layers", self.head_layers)


@dataclass
class Encoder:
    channels: int
    multipliers: list[int]
    stem_kernel: int
    head_width: int
    head_layers: int
    stochastic: bool
    sigma_bias: float

    def __post_init__(self) -> None:
        _positive("model.encoder.channels", self.channels)
        _check(
            len(self.multipliers) >= 1 and min(self.multipliers) > 0,
            "model.encoder.multipliers",
            self.multipliers,
            "one or more positive numbers, one per block",
        )
        odd = self.stem_kernel > 0 and self.stem_kernel % 2 == 1
        _check(odd, "model.encoder.stem_kernel", self.stem_kernel, "an odd number, 1 or more")
        _positive("model.encoder.head_width", self.head_width)
        _positive("model.encoder.head_layers", self.head_layers)


@dataclass
class Model:
    latent: Latent
    generator: Generator
    discriminator: Discriminator
    encoder: Encoder

    def __post_init__(self) -> None:
        chunks = len(self.generator.multipliers)
        _check(
            self.latent.size % chunks == 0,
            "model.latent.size",
            self.latent.size,
            f"a multiple of {chunks}: one chunk for the seed and one for each block of the generator",
        )


@dataclass
class Augmentation:
    shift: int
    flip: bool
    generated: bool

    def __post_init__(self) -> None:
        _check(self.shift >= 0, "train.augmentation.shift", self.shift, "0 or more pixels")


@dataclass
class Train:
    seed: int
    steps: int
    batch_size: int
    discriminator_steps: int
    lr: float
    generator_lr_ratio: float
    encoder_lr_ratio: float
    beta1: float
    beta2: float
    eps: float
    warmup_steps: int
    decay_fraction: float
    ema_decay: float
    augmentation: Augmentation
    standing_batches: int

    def __post_init__(self) -> None:
        _seed("train.seed", self.seed)
        for name in ("steps", "batch_size", "discriminator_steps", "lr", "eps", "standing_batches"):
            _positive(f"train.{name}", getattr(self, name))
        _check(self.batch_size >= 2, "train.batch_size", self.batch_size, "2 or more: batch normalisation needs them")
        _check(self.generator_lr_ratio >= 0, "train.generator_lr_ratio", self.generator_lr_ratio, "0 or more")
        _check(self.encoder_lr_ratio >= 0, "train.encoder_lr_ratio", self.encoder_lr_ratio, "0 or more")
        for name in ("beta1", "beta2", "ema_decay"):
            _check(0 <= getattr(self, name) < 1, f"train.{name}", getattr(self, name), "at least 0 and less than 1")
        _check(self.warmup_steps >= 0, "train.warmup_steps", self.warmup_steps, "0 or more")
        _check(0 <= self.decay_fraction <= 1, "train.decay_fraction", self.decay_fraction, "between 0 and 1")


@dataclass
class Monitoring:
    """How often training reports and saves. No weight depends on it."""

    log_interval: int
    sample_interval: int
    checkpoint_interval: int
    checkpoints_kept: int

    def __post_init__(self) -> None:
        for field in fields(self):
            _positive(f"monitoring.{field.name}", getattr(self, field.name))


@dataclass
class FeatureNetwork:
    kind: str
    inception_weights: str | None
    seed: int
    channels: int
    feature_size: int
    steps: int
    batch_size: int
    lr: float
    shift: int

    def __post_init__(self) -> None:
        _one_of("feature_network.kind", self.kind, ("trained", "inception"))
        _check(
            self.kind != "inception" or bool(self.inception_weights),
            "feature_network.inception_weights",
            self.inception_weights,
            "the path of a weights file, because feature_network.kind is inception",
        )
        for name in ("channels", "feature_size", "steps", "batch_size", "lr"):
            _positive(f"feature_network.{name}", getattr(self, name))
        _seed("feature_network.seed", self.seed)
        _check(self.shift >= 0, "feature_network.shift", self.shift, "0 or more pixels")


@dataclass
class EvaluateRepresentation:
    seed: int
    l2_penalties: list[float]
    neighbours: list[int]
    labels_per_class: list[int]
    low_label_draws: int
    batch_size: int

    def __post_init__(self) -> None:
        section = "evaluate_representation"
        _seed(f"{section}.seed", self.seed)
        for name in ("l2_penalties", "neighbours", "labels_per_class"):
            values = getattr(self, name)
            needs_one = name != "labels_per_class"
            _check(
                (len(values) > 0 or not needs_one) and all(value > 0 for value in values),
                f"{section}.{name}",
                values,
                "a list of positive numbers",
            )
        _positive(f"{section}.low_label_draws", self.low_label_draws)
        _positive(f"{section}.batch_size", self.batch_size)


@dataclass
class EvaluateGeneration:
    seed: int
    samples: int
    inception_score_splits: int
    precision_recall_neighbours: int
    batch_size: int
    sheet_images: int
    interpolation_steps: int

    def __post_init__(self) -> None:
        section = "evaluate_generation"
        _seed(f"{section}.seed", self.seed)
        for field in fields(self):
            if field.name != "seed":
                _positive(f"{section}.{field.name}", getattr(self, field.name))
        splits, neighbours = self.inception_score_splits, self.precision_recall_neighbours
        enough = self.samples >= splits and self.samples > neighbours
        allowed = f"at least {max(splits, neighbours + 1)}: {section}.inception_score_splits is {splits} and "
        allowed += f"{section}.precision_recall_neighbours is {neighbours}"
        _check(enough, f"{section}.samples", self.samples, allowed)
        _check(self.sheet_images >= 2, f"{section}.sheet_images", self.sheet_images, "2 or more")
        _check(self.interpolation_steps >= 2, f"{section}.interpolation_steps", self.interpolation_steps, "2 or more")


@dataclass
class Condition:
    """One condition of the gate on one metric; those that are null do not count."""

    at_least: float | None = None
    at_most: float | None = None
    better_than_champion: str | None = None


@dataclass
class Register:
    name: str
    gate: dict[str, Any]  # of Condition; Hydra cannot override single keys of a mapping of dataclasses

    def __post_init__(self) -> None:
        # An experiment's condition can be overridden by null, but not deleted.
        given = {metric: value for metric, value in self.gate.items() if value is not None}
        self.gate = {metric: build(Condition, value, f"register.gate.{metric}") for metric, value in given.items()}
        for metric, condition in self.gate.items():
            key, direction = f"register.gate.{metric}", condition.better_than_champion
            _one_of(f"{key}.better_than_champion", direction, (None, "higher", "lower"))
            one_or_more = "one or more of at_least, at_most and better_than_champion"
            _check(condition != Condition(), key, "without a condition", one_or_more)


# ------------------------------------------------------------------------------------------ the whole file


@dataclass
class Parameters:
    """`resolved.yaml`, whole. Only `components.compose` needs it; a step loads its own sections."""

    image: Image
    prepare: Prepare
    model: Model
    train: Train
    monitoring: Monitoring
    feature_network: FeatureNetwork
    evaluate_representation: EvaluateRepresentation
    evaluate_generation: EvaluateGeneration
    register: Register

    def __post_init__(self) -> None:
        size, upsamplings = self.image.size, len(self.model.generator.multipliers) - 1
        _check(
            size % 2**upsamplings == 0 and size // 2**upsamplings >= 2,
            "image.size",
            size,
            f"a multiple of {2**upsamplings}, at least {2 * 2**upsamplings}: model.generator has {upsamplings} blocks, "
            "and each doubles the resolution",
        )
        downsamplings = self.model.discriminator.downsampling_blocks
        _check(
            size >> downsamplings >= 1,
            "model.discriminator.downsampling_blocks",
            downsamplings,
            f"0 to {size.bit_length() - 1}: each halves image.size, which is {size}",
        )
        self._check_attention("generator", [size >> n for n in range(upsamplings)])
        # Attention pools its keys by 2: there is nothing left of a single pixel.
        self._check_attention("discriminator", [size >> n for n in range(1, downsamplings + 1) if size >> n >= 2])

    def _check_attention(self, network: str, resolutions: list[int]) -> None:
        chosen = getattr(self.model, network).attention_resolution
        _one_of(f"model.{network}.attention_resolution", chosen, (0, *resolutions))


def load(path: Path, **sections: Any) -> tuple[Any, ...]:
    """Reads some sections of `resolved.yaml`, as instances of their classes above.

    Raises:
        UserError: the file is absent or not YAML, a section or key is missing, unknown, of a wrong type or value.
    """
    try:
        content = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: `python -m components.compose --output {path}` makes it") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    missing = [name for name in sections if not isinstance(content, dict) or name not in content]
    if missing:
        raise UserError(f"{path} has no section {', '.join(missing)}: make it anew with `python -m components.compose`")
    return tuple(build(kind, content[name], name) for name, kind in sections.items())


def build(kind: Any, value: Any, key: str) -> Any:
    """Turns plain YAML content into `kind`, strictly. Raises: UserError, naming the key."""
    if kind is Any:
        return value
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise UserError(f"{key} is {value!r}, but it is a section: give its keys one by one")
        hints = get_type_hints(kind)
        prefix = f"{key}." if key else ""
        for name in (name for name in value if name not in hints):
            known = f"{key} has: " if key else "there are: "
            raise UserError(f"{prefix}{name} is not a parameter; {known}{', '.join(hints)}")
        for field in fields(kind):
            if field.name not in value and field.default is MISSING:
                raise UserError(f"{prefix}{field.name} is missing")
        return _construct(kind, {name: build(hints[name], value[name], prefix + name) for name in value})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        options = [option for option in arguments if option is not NoneType]
        return None if value is None else build(options[0], value, key)
    if origin is list and isinstance(value, list):
        return [build(arguments[0], item, f"{key}[{index}]") for index, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {name: build(arguments[1], item, f"{key}.{name}") for name, item in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(key, value)
    if origin is None and isinstance(value, kind) and (kind is not int or not isinstance(value, bool)):
        return value
    expected = getattr(kind, "__name__", str(kind)) if origin is None else str(kind)
    raise UserError(f"{key} is {value!r}, but it must be of type {expected}")


def _finite(key: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UserError(f"{key} is {value}, but it must be a finite number")
    return number


def _construct(kind: Any, values: dict[str, Any]) -> Any:
    try:
        return kind(**values)
    except ValueError as error:
        raise UserError(str(error)) from None


# -------------------------------------------------------------------------------------------------- checks


def _check(holds: bool, key: str, given: Any, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{key} is {given}; allowed: {allowed}")


def _positive(key: str, given: float) -> None:
    _check(given > 0, key, given, "more than 0")


def _seed(key: str, given: int) -> None:
    _check(0 <= given < 2**63, key, given, "0 to 2**63 - 1")


def _fraction(key: str, given: float) -> None:
    _check(0 <= given < 1, key, given, "at least 0 and less than 1")


def _one_of(key: str, given: Any, allowed: tuple[Any, ...]) -> None:
    _check(given in allowed, key, given, ", ".join("null" if option is None else str(option) for option in allowed))
