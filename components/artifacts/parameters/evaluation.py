"""How a model is measured."""

from dataclasses import dataclass, fields

from components.artifacts.parameters.checks import check, one_of, positive, seed


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
        one_of("feature_network.kind", self.kind, ("trained", "inception"))
        check(
            self.kind != "inception" or bool(self.inception_weights),
            "feature_network.inception_weights",
            self.inception_weights,
            "the path of a weights file, because feature_network.kind is inception",
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
    low_label_draws: int
    batch_size: int

    def __post_init__(self) -> None:
        section = "evaluate_representation"
        seed(f"{section}.seed", self.seed)
        for name in ("l2_penalties", "neighbours", "labels_per_class"):
            values = getattr(self, name)
            needs_one = name != "labels_per_class"
            check(
                (len(values) > 0 or not needs_one) and all(value > 0 for value in values),
                f"{section}.{name}",
                values,
                "a list of positive numbers",
            )
        positive(f"{section}.low_label_draws", self.low_label_draws)
        positive(f"{section}.batch_size", self.batch_size)


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
        seed(f"{section}.seed", self.seed)
        for field in fields(self):
            if field.name != "seed":
                positive(f"{section}.{field.name}", getattr(self, field.name))
        splits, neighbours = self.inception_score_splits, self.precision_recall_neighbours
        enough = self.samples >= splits and self.samples > neighbours
        allowed = f"at least {max(splits, neighbours + 1)}: {section}.inception_score_splits is {splits} and "
        allowed += f"{section}.precision_recall_neighbours is {neighbours}"
        check(enough, f"{section}.samples", self.samples, allowed)
        check(self.sheet_images >= 2, f"{section}.sheet_images", self.sheet_images, "2 or more")
        check(self.interpolation_steps >= 2, f"{section}.interpolation_steps", self.interpolation_steps, "2 or more")
