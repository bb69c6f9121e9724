"""Signs that training goes wrong, each with what to try: from the logs alone, at most one of them at a time.

Thresholds marked "digits" were set on runs of the experiment `digits`: silent on the healthy one, not on spoilt ones.
Elsewhere they are a hint to look at the curves and the sheets, and no verdict.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from components.artifacts.training_log import read_log

Rows = list[dict[str, float]]

# Logged rows whose median is looked at: one batch by itself says little.
_RECENT = 15

_GENERATED_VIEWS = "augmentation.generated=true (where model.generator.image_size is image.size)"


def advice(directory: Path) -> str | None:
    """What to tell the person after the last row of `log.csv` and `drift.csv` in `directory`, or None: all is well."""
    found = _sign(read_log(directory / "log.csv"), read_log(directory / "drift.csv"))
    return None if found is None else f"warning: {found}"


def history(directory: Path) -> list[dict[str, Any]]:
    """Each sign that `advice` gave while the logs in `directory` grew: {step, sign}, oldest first."""
    log, looks = read_log(directory / "log.csv"), read_log(directory / "drift.csv")
    seen = []
    for count, look in enumerate(looks, 1):
        logged = [row for row in log if row["step"] <= look["step"]]
        if found := _sign(logged, looks[:count]):
            seen.append({"step": int(look["step"]), "sign": found})
    return seen


def _sign(log: Rows, looks: Rows) -> str | None:
    return next((found for sign in _SIGNS if (found := sign(log, looks))), None)


def _samples_are_alike(log: Rows, looks: Rows) -> str | None:
    # Digits: from step 200 on above 0.86 (all pairs) and 0.62 (nearest pairs) in a healthy run.
    for key, least, what in (
        ("diversity/all_pairs", 0.5, "two samples lie on average"),
        ("diversity/nearest_pairs", 0.25, "a sample and its nearest other one lie on average"),
    ):
        values = [row[key] for row in looks if key in row]
        # G's very first samples are alike too.
        if values and values[-1] < least and (max(values) >= least or len(values) > 5):
            best = _nearest_look(looks)
            return (
                f"G collapses: {what} only {values[-1]:.2f} times as far apart as train images do. The samples were "
                f"best at step {best}; try a lower train.lr, a lower train.generator_lr_ratio or a larger "
                "train.batch_size"
            )
    return None


def _gradients_explode(log: Rows, looks: Rows) -> str | None:
    # Digits: never above 3 times the median of before in a healthy run.
    for phase, who in (("discriminator", "D"), ("generator_encoder", "G and E")):
        key = f"{phase}/gradient_norm"
        norms = [row[key] for row in log if key in row]
        before, now = norms[-53:-3], norms[-3:]
        if len(before) >= _RECENT and median(now) > 10 * median(before):
            return (
                f"the gradient of {who} has grown to {median(now):.3g}, from {median(before):.3g} before. Try a lower "
                "train.lr, more train.warmup_steps or a larger train.eps"
            )
    return None


def _weights_explode(log: Rows, looks: Rows) -> str | None:
    # At ImageNet's size the singular values of G's first layers jump where training collapses, after a slow growth
    # (Brock et al. 2019, section 4.1). Digits: 1.4 times from step 200 to 600 of a healthy run; at 20 times the rate
    # 3.5 times from 200 to 300, in D.
    if len(looks) < 5:
        return None
    before, now = looks[-4], looks[-1]
    growth = {
        key: now[key] / before[key] for key in now if key.startswith(("sigma/generator.", "sigma/discriminator."))
    }
    key = max(growth, key=lambda layer: growth[layer], default=None)
    if key is None or growth[key] <= 2:
        return None
    return (
        f"the weights of {key.removeprefix('sigma/')} explode: their largest singular value was {before[key]:.3g} at "
        f"step {before['step']:.0f} and is {now[key]:.3g}. Collapse may be near: try a lower train.lr"
    )


def _discriminator_loses(log: Rows, looks: Rows) -> str | None:
    # Digits: with one step of D per step of G and E the margin of the best term stays under 0.12, with 20 times the
    # rate under 0.02. In a healthy run it is 0.27 at the least, although loss and accuracy are no better for a while
    # (1.8 and 0.56 on the best term).
    accuracies, margins = _recent(log, _accuracies), _recent(log, _margins)
    if not accuracies or max(accuracies.values()) > 0.6 or max(margins.values()) > 0.15:
        return None
    return (
        f"D loses ({_list(accuracies)}), so E and G learn little. Try one more of train.discriminator_steps, a lower "
        "train.lr, or lower train.generator_lr_ratio and train.encoder_lr_ratio"
    )


def _discriminator_has_won(log: Rows, looks: Rows) -> str | None:
    # E and G still learn, as their scores are not hinged; but D tells images apart that it knows by heart from others,
    # and that is no longer the game (Karras et al. 2020, "Training generative adversarial networks with limited data").
    # Latents by themselves say nothing about that: E meets the prior, and D's accuracy on them stays near one half.
    accuracies = {term: value for term, value in _recent(log, _accuracies).items() if term != "latent"}
    margins = _recent(log, _margins)
    if not accuracies or min(accuracies.values()) < 0.99 or min(margins[term] for term in accuracies) < 2:
        return None
    return (
        f"D has won ({_list(accuracies)}): it may know the images by heart. Try {_GENERATED_VIEWS}, stronger "
        "augmentation, fewer train.discriminator_steps, a smaller model.discriminator.channels, or more images"
    )


def _generator_drifts(log: Rows, looks: Rows) -> str | None:
    # The distance falls with some noise; half as much again as its lowest is more than that noise (digits).
    distances = {row["step"]: row["drift/coarse_distance"] for row in looks if "drift/coarse_distance" in row}
    if not distances or distances[max(distances)] <= 1.5 * min(distances.values()):
        return None
    best, last = _nearest_look(looks), max(distances)
    return (
        f"G drifts. Its distance to the train images was lowest at step {best} ({distances[best]:.3g}) and is "
        f"{distances[last]:.3g} at step {last:.0f}. E may still improve; for G's sake try {_GENERATED_VIEWS}, "
        f"train.steps={best}, or a lower train.lr"
    )


# The gravest first.
_SIGNS: tuple[Callable[[Rows, Rows], str | None], ...] = (
    _samples_are_alike,
    _gradients_explode,
    _weights_explode,
    _discriminator_loses,
    _discriminator_has_won,
    _generator_drifts,
)


def _recent(log: Rows, of: Callable[[dict[str, float]], dict[str, float]]) -> dict[str, float]:
    """The median, by term, of what `of` finds in the last rows; empty while there are too few of them."""
    rows = [of(row) for row in log[-_RECENT:]] if len(log) >= _RECENT else []
    return {term: median(row[term] for row in rows) for row in rows[:1] for term in row}


def _accuracies(row: dict[str, float]) -> dict[str, float]:
    """D's accuracy by term."""
    prefix = "discriminator/accuracy_"
    return {key.removeprefix(prefix): value for key, value in row.items() if key.startswith(prefix)}


def _margins(row: dict[str, float]) -> dict[str, float]:
    """D's mean score of data pairs above that of generated pairs, by term."""
    score = "discriminator/score_"
    return {term: row[f"{score}{term}_data"] - row[f"{score}{term}_generated"] for term in _accuracies(row)}


def _nearest_look(looks: Rows) -> int:
    """The step at which the samples were nearest to the train images."""
    return int(min(looks, key=lambda row: row["drift/coarse_distance"])["step"])


def _list(accuracies: dict[str, float]) -> str:
    return "accuracy on " + ", ".join(f"{term} {value:.2f}" for term, value in accuracies.items())
