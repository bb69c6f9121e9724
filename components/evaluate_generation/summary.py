"""The few lines that the step prints: each number beside that of real held-out images."""

from collections.abc import Callable

from components.artifacts.metrics import Metrics
from components.evaluate_generation.keys import Keys


def summary(metrics: Metrics) -> str:
    """A table of generated and real images, and a line on reconstruction."""
    values, counts = metrics.values, metrics.protocol["counts"]
    network = metrics.protocol["feature_network"]
    told = metrics.protocol
    keys = Keys(network["name"], told["precision_recall_neighbours"], told["density_coverage_neighbours"])
    columns = list(
        dict.fromkeys([("samples", counts["samples"]), ("samples", counts["test"]), ("test", counts["test"])])
    )
    columns = [(kind, count) for kind, count in columns if count]

    def against_train(key: Callable[[str, str], str]) -> list[float | None]:
        return [values.get(key(f"{kind}{count}", f"train{counts['train']}")) for kind, count in columns]

    def with_as_many(key: Callable[[str, str], str]) -> list[float | None]:
        most = min(counts["train"], metrics.protocol["pairwise_images"])
        balanced = [(kind, min(count, most)) for kind, count in columns]
        return [values.get(key(f"{kind}{count}", f"train{count}")) for kind, count in balanced]

    def of_pairs(statistic: str) -> list[float | None]:
        most = metrics.protocol["pairwise_images"]
        train = f"train{min(counts['train'], most)}"
        return [
            values.get(keys.kernel_distance(f"{kind}{min(count, most)}", train, statistic)) for kind, count in columns
        ]

    rows: list[tuple[str, list[float | None]]] = [
        ("Fréchet distance", against_train(keys.distance)),
        ("± standard error", against_train(keys.standard_error)),
        ("for infinite samples", against_train(keys.extrapolated)),
        ("kernel distance", of_pairs("mean")),
        ("score", [values.get(keys.score(f"{kind}{count}", "mean")) for kind, count in columns]),
        (f"precision, k = {keys.neighbours}", with_as_many(keys.precision)),
        (f"recall, k = {keys.neighbours}", with_as_many(keys.recall)),
        (f"density, k = {keys.density_neighbours}", with_as_many(keys.density)),
        (f"coverage, k = {keys.density_neighbours}", with_as_many(keys.coverage)),
        ("class total variation", against_train(keys.total_variation)),
        ("mean pixel", [values.get(keys.mean_pixel(f"{kind}{count}")) for kind, count in columns]),
    ]
    words = {"samples": "generated", "test": "real"}
    lines = [_line(f"on {network['name']}'s features", [f"{count} {words[kind]}" for kind, count in columns])]
    for label, numbers in rows:
        if any(number is not None for number in numbers):
            lines.append(_line(label, ["-" if number is None else f"{number:.4f}" for number in numbers]))
    images = f"test{counts['test']}"
    relative = (
        values.get(keys.reconstruction("relative_l1", images)),
        values.get(keys.reconstruction("relative_l2", images)),
    )
    if relative[0] is not None:
        text = f"reconstruction error, relative to shuffled pairs: l1 {relative[0]:.3f}, l2 {relative[1]:.3f}"
        same = values.get(keys.same_class(images))
        lines.append(text if same is None else f"{text}; same class {100 * same:.1f} %")
    else:
        reason = metrics.protocol["not_measured"][keys.reconstruction("relative_l1", images)]
        lines.append(f"reconstruction was not measured: {reason}")
    return "\n".join(lines)


def _line(label: str, cells: list[str]) -> str:
    return f"{label:<26}" + "".join(f"{cell:>18}" for cell in cells)
