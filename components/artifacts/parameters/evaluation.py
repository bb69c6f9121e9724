"""How a model is measured."""

import re
from dataclasses import dataclass, fields

from components.artifacts.parameters.checks import check, one_of, positive, seed


@dataclass
class FeatureNetwork:
    kind: str
    inception_weights: str | None
    inception_sha256: str | None
    seed: int
    channels: int
    feature_size: int
    steps: int
    batch_size: int
    lr: float
    shift: int

    def __post_init__(self) -> None:
        one_of("feature_network.kind", self.kind, ("trained", "effnet_lite0", "inception"))
        check(
            self.kind != "inception" or bool(self.inception_weights),
            "feature_network.inception_weights",
            self.inception_weights,
            "the path of a weights file, because feature_network.kind is inception",
        )
        check(
            self.kind != "inception" or re.fullmatch("[0-9a-f]{64}", self.inception_sha256 or "") is not None,
            "feature_network.inception_sha256",
            self.inception_sha256,
            "the 64 digits of the weights file's sha256, because feature_network.kind is inception: "
            "`sha256sum FILE` tells them",
        )
        for name in ("channels", "feature_size", "steps", "batch_size", "lr"):
            positive(f"feature_network.{name}", getattr(self, name))
        seed("feature_network.seed", self.seed)
        check(self.shift >= 0, "feature_network.shift", self.shift, "0 or more pixels")


@dataclass
class EvaluateRepresentation:
    seed: int
    l2_penalties: list[float]
    neighbours: list[int]
    labels_per_class: list[int]
    labels_percent: list[int]
    low_label_draws: int
    batch_size: int

    def __post_init__(self) -> None:
        section = "evaluate_representation"
        seed(f"{section}.seed", self.seed)
        for name in ("l2_penalties", "neighbours", "labels_per_class", "labels_percent"):
            values = getattr(self, name)
            needs_one = not name.startswith("labels_")
            check(
                (len(values) > 0 or not needs_one) and all(value > 0 for value in values),
                f"{section}.{name}",
                values,
                "a list of positive numbers",
            )
        percent = self.labels_percent
        check(all(value < 100 for value in percent), f"{section}.labels_percent", percent, "1 to 99 each")
        positive(f"{section}.low_label_draws", self.low_label_draws)
        positive(f"{section}.batch_size", self.batch_size)


@dataclass
class EvaluateGeneration:
    seed: int
    samples: int
    inception_score_splits: int
    precision_recall_neighbours: int
    density_coverage_neighbours: int
    pairwise_images: int
    kernel_distance_subsets: int
    kernel_distance_subset_size: int
    frechet_groups: int
    memorisation_images: int
    batch_size: int
    sheet_images: int
    interpolation_steps: int

    def __post_init__(self) -> None:
        section = "evaluate_generation"
        seed(f"{section}.seed", self.seed)
        for field in fields(self):
            if field.name not in ("seed", "memorisation_images"):
                positive(f"{section}.{field.name}", getattr(self, field.name))
        check(self.memorisation_images >= 0, f"{section}.memorisation_images", self.memorisation_images, "0 or more")
        splits, neighbours = self.inception_score_splits, self.precision_recall_neighbours
        enough = self.samples >= splits and self.samples > neighbours
        allowed = f"at least {max(splits, neighbours + 1)}: {section}.inception_score_splits is {splits} and "
        allowed += f"{section}.precision_recall_neighbours is {neighbours}"
        check(enough, f"{section}.samples", self.samples, allowed)
        size = self.kernel_distance_subset_size
        check(size >= 2, f"{section}.kernel_distance_subset_size", size, "2 or more")
        groups = self.frechet_groups
        divisible = any(groups % divisor == 0 for divisor in range(2, groups))
        check(divisible, f"{section}.frechet_groups", groups, "a number with divisors besides 1 and itself, such as 10")
        least = max(neighbours + 1, self.density_coverage_neighbours + 1, size)
        allowed = f"at least {least}, for the numbers of neighbours and kernel_distance_subset_size"
        check(self.pairwise_images >= least, f"{section}.pairwise_images", self.pairwise_images, allowed)
        check(self.sheet_images >= 2, f"{section}.sheet_images", self.sheet_images, "2 or more")
        check(self.interpolation_steps >= 2, f"{section}.interpolation_steps", self.interpolation_steps, "2 or more")
