"""What the keys of metrics say: whose number it is, which way is better, and what it must be held against.

Two forms of key are read; whoever shows or compares numbers asks here, and no one else takes a key apart.

    linear_top1_bn_crelu_10_per_class_test_mean    a classifier's accuracy: on features, with labels, on a split
    fd_classifier_samples500_train4000             a measure: of a set of images, perhaps against others; in front of it
                                                   may stand what it is of that measure, such as its standard_error_
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Direction = Literal["higher", "lower"]

_UNTRAINED = "untrained_"
_PIXELS = "pixels"
_OF_ENCODER = ("bn_crelu", "avepool", "mu")
_ACCURACY_KEY = re.compile(
    r"(?P<classifier>(?:linear|knn\d+)_top\d+)_(?P<features>[a-z0-9_]+?)"
    r"(?:_(?P<labels>\d+_per_class|\d+_percent))?_(?P<split>train|validation|test)(?:_(?P<statistic>mean|std))?"
)
_OF_IMAGES_KEY = re.compile(
    r"(?:(?P<derived>standard_error|extrapolated)_)?(?P<name>[a-z][a-z0-9_]*?)"
    r"_(?P<images>samples|train|validation|test)(?P<count>\d+)"
    r"(?:_(?P<against>(?:(?:train|validation|test)\d+|imported)(?:_train\d+)?))?(?:_(?P<statistic>mean|std))?"
)

_FEATURES = {
    "bn_crelu": "BN+CReLU",
    "avepool": "AvePool",
    "mu": "mean of E(x)",
    "discriminator": "D's features",
    "pixels": "raw pixels",
}


@dataclass(frozen=True)
class Measure:
    """A family of numbers, named by how their keys begin.

    share: between 0 and 1, and read in percent. unbiased: numbers of different counts of images can be compared.
    """

    family: str
    title: str
    better: Direction | None
    share: bool = False
    unbiased: bool = False


_ACCURACY = Measure("accuracy", "accuracy", "higher", share=True)

# The first whose name the key begins with.
_MEASURES = (
    Measure("fid", "Fréchet inception distance", "lower"),
    Measure("fd", "Fréchet distance", "lower"),
    Measure("kid", "kernel inception distance", "lower", unbiased=True),
    Measure("kd", "kernel distance", "lower", unbiased=True),
    Measure("inception_score", "Inception score", "higher"),
    Measure("score", "Inception-style score", "higher"),
    Measure("precision", "precision", "higher", share=True),
    Measure("recall", "recall", "higher", share=True),
    Measure("density", "density", "higher"),
    Measure("coverage", "coverage", "higher", share=True),
    Measure("nearer_to_train_than_test", "memorisation (0.5: as test images)", None),
    Measure("class_total_variation", "distance of class shares", "lower", share=True),
    Measure("mean_pixel", "mean pixel", None),
    Measure("reconstruction_same_class", "reconstructions of the same class", "higher", share=True),
    Measure("reconstruction_relative", "reconstruction error (1: shuffled pairs)", "lower"),
    Measure("reconstruction", "reconstruction error", "lower"),
)
FRECHET = ("fid", "fd")
MEMORISATION = "nearer_to_train_than_test"


@dataclass(frozen=True)
class Accuracy:
    """Top-k accuracy of a classifier on features.

    classifier: `linear_top1`, `knn5_top1`. features: the view, `bn_crelu`, `untrained_avepool`, `pixels`. labels: how
    many of train's were used, `10_per_class` or `1_percent`; empty: all. statistic: over draws of them, or empty.
    """

    classifier: str
    features: str
    labels: str
    split: str
    statistic: str

    @property
    def measure(self) -> Measure:
        return _ACCURACY

    @property
    def key(self) -> str:
        return "_".join(
            part for part in (self.classifier, self.features, self.labels, self.split, self.statistic) if part
        )

    @property
    def protocol(self) -> "Accuracy":
        """Itself without the features: equal where two views were measured alike."""
        return replace(self, features="")

    @property
    def neighbours(self) -> int:
        """kNN's k; 0 for the linear probe."""
        return int(self._kind.removeprefix("knn")) if self._kind != "linear" else 0

    @property
    def top(self) -> int:
        return int(self.classifier.rpartition("_top")[2])

    @property
    def _kind(self) -> str:
        return self.classifier.rpartition("_top")[0]

    @property
    def order(self) -> tuple[int, bool, str, int, int]:
        """Sorts by protocol: the linear probe with all labels, then with fewer and fewer, then kNN by k."""
        count, _, unit = self.labels.partition("_")
        return self.neighbours, bool(self.labels), unit, -int(count or 0), self.top

    @property
    def is_spread(self) -> bool:
        return self.statistic == "std"

    @property
    def is_reference(self) -> bool:
        """Whether it is there to hold E's accuracies against."""
        return self.features not in _OF_ENCODER

    def baselines(self) -> dict[str, str]:
        """The keys of the same classifier on features that BigBiGAN has not taught, by what these are."""
        if self.is_reference:
            return {}
        untrained, pixels = (replace(self, features=name) for name in (_UNTRAINED + self.features, _PIXELS))
        return {"untrained": untrained.key, "raw pixels": pixels.key}

    @property
    def classifier_title(self) -> str:
        name = f"kNN, k = {self.neighbours}" if self.neighbours else "linear probe"
        return name if self.top == 1 else f"{name}, top-{self.top}"

    @property
    def labels_title(self) -> str:
        if not self.labels:
            return ""
        count, unit = self.labels.split("_", 1)
        return f"{count} labels a class" if unit == "per_class" else f"{count} % of the labels"

    @property
    def protocol_title(self) -> str:
        """The classifier and its labels."""
        parts = (self.classifier_title, self.labels_title)
        return ", ".join(part for part in parts if part) + _statistic_title(self.statistic, "mean")

    @property
    def headline(self) -> str:
        return self.classifier_title

    @property
    def detail(self) -> str:
        return ", ".join(part for part in (features_title(self.features), self.labels_title) if part)

    @property
    def title(self) -> str:
        return f"{self.protocol_title}, {features_title(self.features)}"


@dataclass(frozen=True)
class OfImages:
    """A measure of `count` images of a kind, `samples` or a split, by itself or against others, `train4000`.

    name: the measure with the network that it was taken on, as `fd_classifier` or `precision_classifier_k3`.
    derived: what the number is of that measure, `standard_error` or `extrapolated`; empty: the measure itself.
    """

    derived: str
    name: str
    images: str
    count: int
    against: str
    statistic: str
    measure: Measure

    @property
    def key(self) -> str:
        parts = (self.derived, self.name, f"{self.images}{self.count}", self.against, self.statistic)
        return "_".join(part for part in parts if part)

    @property
    def is_spread(self) -> bool:
        return self.derived == "standard_error" or self.statistic == "std"

    def is_floor_of(self, other: "OfImages") -> bool:
        """Whether it is the same of real held-out images, as many of them where the count matters."""
        alike = replace(self, images=other.images, count=other.count) == other
        return (
            alike
            and (other.images, self.images) == ("samples", "test")
            and (self.count == other.count or self.measure.unbiased)
        )

    @property
    def rank(self) -> int:
        """The place of its measure in an order that puts the most telling first."""
        return _MEASURES.index(self.measure)

    @property
    def what(self) -> str:
        """The measure and the network that it was taken on."""
        return ", ".join(part for part in (self.headline, self._on) if part) + _statistic_title(self.statistic, "mean")

    @property
    def headline(self) -> str:
        return ", ".join(part for part in (self.measure.title, _DERIVED.get(self.derived, "")) if part)

    @property
    def detail(self) -> str:
        """What it was taken on, and of how many images."""
        return ", ".join(part for part in (self._on, _counted(f"{self.images}{self.count}")) if part)

    @property
    def _on(self) -> str:
        return re.sub(r"_?k(\d+)$", r", k = \1", self.name.removeprefix(self.measure.family).removeprefix("_"))

    @property
    def of(self) -> str:
        """Of which images, and against which."""
        images = _counted(f"{self.images}{self.count}")
        return f"{images} against {' and '.join(map(_counted, self.against.split('_')))}" if self.against else images

    @property
    def title(self) -> str:
        return f"{self.what}, {_counted(f'{self.images}{self.count}')}"


_DERIVED = {"standard_error": "standard error", "extrapolated": "extrapolated to infinitely many samples"}


Reading = Accuracy | OfImages


def read_key(key: str) -> Reading | None:
    """None, if the key is of neither form or of a measure that is not known: show it as it is."""
    if match := _ACCURACY_KEY.fullmatch(key):
        return Accuracy(*match.groups(default=""))
    match = _OF_IMAGES_KEY.fullmatch(key)
    if match is None:
        return None
    derived, name, images, count, against, statistic = match.groups(default="")
    measure = _measure(name)
    return None if measure is None else OfImages(derived, name, images, int(count), against, statistic, measure)


def direction(key: str) -> Direction | None:
    """Which way is better; None where that is not known, or where neither is, as for a spread."""
    reading = read_key(key)
    return None if reading is None or reading.is_spread else reading.measure.better


def format_value(key: str, value: float) -> str:
    """Shares in percent, other numbers with about four digits."""
    reading = read_key(key)
    if reading is not None and reading.measure.share:
        return f"{100 * value:.1f} %"
    if value and abs(value) < 0.1:
        return f"{value:.3g}"
    decimals = 3 - sum(abs(value) >= limit for limit in (10, 100, 1000))
    return f"{value:,.{decimals}f}"


def beside(key: str, values: Mapping[str, float]) -> dict[str, str]:
    """The keys in `values` that a number must be held against, by what they are: baselines, or the floor.

    An accuracy has `untrained` and `raw pixels`, the same on features that BigBiGAN has not taught; a measure of
    samples has `real images`, what a perfect generator would get.
    """
    reading = read_key(key)
    if reading is None:
        return {}
    if isinstance(reading, Accuracy):
        return {name: other for name, other in reading.baselines().items() if other in values}
    others = (other for other in map(read_key, values) if isinstance(other, OfImages))
    floor = next((other.key for other in others if other.is_floor_of(reading)), None)
    return {} if floor is None else {"real images": floor}


def spread(key: str, values: Mapping[str, float]) -> str | None:
    """The key in `values` of how sure a number is: its standard error, or else its standard deviation."""
    reading = read_key(key)
    if reading is None or reading.is_spread:
        return None
    candidates = [replace(reading, statistic="std").key] if reading.statistic else []
    if isinstance(reading, OfImages):
        candidates.insert(0, replace(reading, derived="standard_error").key)
    return next((candidate for candidate in candidates if candidate in values), None)


def features_title(features: str) -> str:
    if features.startswith(_UNTRAINED):
        return f"{features_title(features.removeprefix(_UNTRAINED))}, untrained E"
    return _FEATURES.get(features, features.removeprefix("features_"))


def _measure(name: str) -> Measure | None:
    fitting = (one for one in _MEASURES if name == one.family or name.startswith(f"{one.family}_"))
    return next(fitting, None)


def _counted(images: str) -> str:
    """`test500` -> 500 test images."""
    kind = images.rstrip("0123456789")
    noun = {"samples": "samples", "imported": "imported statistics"}.get(kind, f"{kind} images")
    return f"{int(images.removeprefix(kind)):,} {noun}" if kind != images else noun


def _statistic_title(statistic: str, silent: str = "") -> str:
    return "" if statistic in ("", silent) else f" ({statistic.replace('_', ' ')})"
