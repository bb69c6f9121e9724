"""The networks. Where several kinds of a network exist, the key `kind` says which one a section is of."""

from dataclasses import dataclass
from typing import Literal

from components.artifacts.parameters.checks import check, one_of, positive

_SCORES = ("image", "latent", "joint")


@dataclass
class Latent:
    size: int
    distribution: str

    def __post_init__(self) -> None:
        positive("model.latent.size", self.size)
        one_of("model.latent.distribution", self.distribution, ("normal", "uniform"))


# ----------------------------------------------------------------------------------------------- generators


@dataclass
class BigGANGenerator:
    kind: Literal["biggan"]
    image_size: int
    channels: int
    multipliers: list[int]
    embedding_size: int
    attention_resolution: int

    def __post_init__(self) -> None:
        _positive("model.generator", self, "image_size", "channels", "embedding_size")
        _multipliers(
            "model.generator", self.multipliers, 2, "two or more positive numbers: the seed's, then one per block"
        )
        blocks = len(self.multipliers) - 1
        check(
            self.image_size % 2**blocks == 0 and self.image_size // 2**blocks >= 2,
            "model.generator.image_size",
            self.image_size,
            f"a multiple of {2**blocks}, at least {2 * 2**blocks}: model.generator has {blocks} blocks, and each "
            "doubles the resolution",
        )
        resolutions = [self.image_size >> n for n in range(blocks)]
        one_of("model.generator.attention_resolution", self.attention_resolution, (0, *resolutions))


@dataclass
class DCGANGenerator:
    kind: Literal["dcgan"]
    image_size: int
    channels: int
    repeat_latent: bool

    def __post_init__(self) -> None:
        _positive("model.generator", self, "image_size", "channels")
        _image_size_of_dcgan(self.image_size, "model.generator")


@dataclass
class MLPGenerator:
    kind: Literal["mlp"]
    image_size: int
    width: int

    def __post_init__(self) -> None:
        _positive("model.generator", self, "image_size", "width")


# ------------------------------------------------------------------------------------------------- encoders


@dataclass
class BasicResNet:
    kind: Literal["basic_resnet"]
    channels: int
    multipliers: list[int]
    stem_kernel: int

    def __post_init__(self) -> None:
        section = "model.encoder.trunk"
        _positive(section, self, "channels")
        _multipliers(section, self.multipliers, 1, "one or more positive numbers, one per block")
        odd = self.stem_kernel > 0 and self.stem_kernel % 2 == 1
        check(odd, f"{section}.stem_kernel", self.stem_kernel, "an odd number, 1 or more")


@dataclass
class ResNet:
    kind: Literal["resnet"]
    layers: int
    width: int

    def __post_init__(self) -> None:
        one_of("model.encoder.trunk.layers", self.layers, (50, 101))
        _positive("model.encoder.trunk", self, "width")


@dataclass
class RevNet:
    kind: Literal["revnet"]
    width: int

    def __post_init__(self) -> None:
        _positive("model.encoder.trunk", self, "width")


@dataclass
class AlexNet:
    kind: Literal["alexnet"]
    channels: int

    def __post_init__(self) -> None:
        given = self.channels
        check(given > 0 and given % 6 == 0, "model.encoder.trunk.channels", given, "6, 12, 18, ...")


@dataclass
class MLPTrunk:
    kind: Literal["mlp"]
    width: int

    def __post_init__(self) -> None:
        _positive("model.encoder.trunk", self, "width")


@dataclass
class Encoder:
    image_size: int
    trunk: BasicResNet | ResNet | RevNet | AlexNet | MLPTrunk
    head_width: int | None
    head_layers: int
    sigma: str
    sigma_bias: float
    output: str

    def __post_init__(self) -> None:
        _positive("model.encoder", self, "image_size")
        check(self.head_layers >= 0, "model.encoder.head_layers", self.head_layers, "0 or more")
        width, allowed = self.head_width, "null with model.encoder.head_layers: 0, else more than 0"
        check((width or 0) > 0 if self.head_layers else width is None, "model.encoder.head_width", width, allowed)
        one_of("model.encoder.sigma", self.sigma, ("softplus", "exp", "none"))
        one_of("model.encoder.output", self.output, ("linear", "tanh"))


# ------------------------------------------------------------------------------------------- discriminators


@dataclass
class BigBiGANDiscriminator:
    kind: Literal["bigbigan"]
    channels: int
    multipliers: list[int]
    downsampling_blocks: int
    attention_resolution: int
    head_width: int
    head_layers: int
    scores: list[str]

    def __post_init__(self) -> None:
        section, blocks = "model.discriminator", len(self.multipliers)
        _positive(section, self, "channels", "head_width", "head_layers")
        _multipliers(section, self.multipliers, 1, "one or more positive numbers, one per block")
        downsampling = self.downsampling_blocks
        check(0 <= downsampling <= blocks, f"{section}.downsampling_blocks", downsampling, "0 to the number of blocks")
        known = len(self.scores) > 0 and set(self.scores) <= set(_SCORES) and len(set(self.scores)) == len(self.scores)
        check(known, f"{section}.scores", self.scores, f"one or more of {', '.join(_SCORES)}")


@dataclass
class DCGANDiscriminator:
    kind: Literal["dcgan"]
    channels: int
    scores: list[str]

    def __post_init__(self) -> None:
        _positive("model.discriminator", self, "channels")
        _one_score(self.scores)


@dataclass
class MLPDiscriminator:
    kind: Literal["mlp"]
    width: int
    scores: list[str]

    def __post_init__(self) -> None:
        _positive("model.discriminator", self, "width")
        _one_score(self.scores)


# ---------------------------------------------------------------------------------------------------- model


@dataclass
class Model:
    """G, E and D. A GAN without an encoder has `encoder: null`, an autoencoder `discriminator: null`."""

    latent: Latent
    generator: BigGANGenerator | DCGANGenerator | MLPGenerator
    encoder: Encoder | None
    discriminator: BigBiGANDiscriminator | DCGANDiscriminator | MLPDiscriminator | None

    def __post_init__(self) -> None:
        if isinstance(self.generator, BigGANGenerator):
            chunks = len(self.generator.multipliers)
            check(
                self.latent.size % chunks == 0,
                "model.latent.size",
                self.latent.size,
                f"a multiple of {chunks}: one chunk for the seed and one for each block of the generator",
            )
        if isinstance(self.discriminator, BigBiGANDiscriminator):
            self._check_downsampling(self.discriminator, self.generator.image_size)
        if isinstance(self.discriminator, DCGANDiscriminator):
            size, scores = self.generator.image_size, self.discriminator.scores
            _image_size_of_dcgan(size, "model.discriminator")
            allowed = "16 or more: in a smaller D of kind dcgan there is no layer for the z of the joint score"
            check(size >= 16 or scores == ["image"], "model.generator.image_size", size, allowed)
        either = self.encoder is not None or self.discriminator is not None
        check(either, "model.encoder", None, "a section, because model.discriminator is null too")
        if self.encoder is not None and self.encoder.output == "tanh":
            prior = self.latent.distribution
            allowed = "uniform, because model.encoder.output is tanh"
            check(prior == "uniform", "model.latent.distribution", prior, allowed)
        if self.discriminator is not None and self.encoder is None:
            scores = self.discriminator.scores
            check(scores == ["image"], "model.discriminator.scores", scores, "[image], because model.encoder is null")

    @staticmethod
    def _check_downsampling(discriminator: BigBiGANDiscriminator, size: int) -> None:
        section, downsamplings = "model.discriminator", discriminator.downsampling_blocks
        check(
            size >> downsamplings >= 1,
            f"{section}.downsampling_blocks",
            downsamplings,
            f"0 to {size.bit_length() - 1}: each halves what D sees, model.generator.image_size, which is {size}",
        )
        # Attention pools its keys by 2: there is nothing left of a single pixel.
        resolutions = [size >> n for n in range(1, downsamplings + 1) if size >> n >= 2]
        one_of(f"{section}.attention_resolution", discriminator.attention_resolution, (0, *resolutions))


def _positive(section: str, values: object, *names: str) -> None:
    for name in names:
        positive(f"{section}.{name}", getattr(values, name))


def _image_size_of_dcgan(size: int, section: str) -> None:
    """Halving must end at 4 to 7 pixels."""
    smallest = size
    while smallest >= 8 and smallest % 2 == 0:
        smallest //= 2
    fits = 4 <= smallest <= 7 and smallest < size
    allowed = f"4, 5, 6 or 7 times 2, 4, 8, ...: {section}.kind is dcgan"
    check(fits, "model.generator.image_size", size, allowed)


def _multipliers(section: str, given: list[int], at_least: int, allowed: str) -> None:
    check(len(given) >= at_least and min(given) > 0, f"{section}.multipliers", given, allowed)


def _one_score(given: list[str]) -> None:
    check(given in (["image"], ["joint"]), "model.discriminator.scores", given, "[image] or [joint] for this kind")
