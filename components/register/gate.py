"""The gate: which numbers a model must show to enter the registry. Pure; the registry is read elsewhere."""

import difflib
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.parameters import Condition
from components.register.measured import Measured, protocol_differences


@dataclass(frozen=True)
class Champion:
    """The version that stands as champion, its numbers, and where its model lies."""

    version: int
    measured: Measured
    model: Path


@dataclass(frozen=True)
class Finding:
    """One condition, looked at.

    `value` is the challenger's number, `bound` the number it is held against; either is None where there is
    none. `champion` is the version compared with, for the conditions that compare.
    """

    metric: str
    condition: str
    value: float | None
    bound: float | None
    champion: int | None
    holds: bool
    text: str


def judge(gate: Mapping[str, Condition], challenger: Measured, champion: Champion | None) -> list[Finding]:
    """Looks at every condition of the gate; the model passes if all findings hold.

    A key of the gate is a metric's key, or a pattern (`fd_*_samples5000_train*`) that exactly one metric's key fits:
    what a key says of the dataset need not be known beforehand.
    """
    findings = []
    for pattern, condition in sorted(gate.items()):
        fitting = fnmatch.filter(sorted(challenger.values), pattern)
        if not fitting:
            findings.append(_missing(pattern, challenger))
            continue
        if len(fitting) > 1:
            findings.append(_ambiguous(pattern, fitting))
            continue
        metric = fitting[0]
        if condition.at_least is not None:
            findings.append(_at_least(metric, challenger.values[metric], condition.at_least))
        if condition.at_most is not None:
            findings.append(_at_most(metric, challenger.values[metric], condition.at_most))
        if condition.better_than_champion is not None:
            findings.append(_better(metric, condition.better_than_champion, challenger, champion))
    return findings


def _missing(metric: str, challenger: Measured) -> Finding:
    text = f"{metric} was not measured"
    left_out = fnmatch.filter(sorted(challenger.absent), metric)
    if left_out:
        text += " (" + "; ".join(f"{key}: {challenger.absent[key]}" for key in left_out) + ")"
    elif challenger.skipped:
        text += " (" + "; ".join(f"{name} was skipped: {why}" for name, why in sorted(challenger.skipped.items())) + ")"
    close = difflib.get_close_matches(metric, challenger.values, n=3)
    if close:
        text += f"; close to it are {', '.join(close)}"
    text += ": change the parameter register.gate, so that it asks for what is measured"
    return Finding(metric, "measured", None, None, None, False, text)


def _ambiguous(pattern: str, fitting: list[str]) -> Finding:
    text = f"{pattern} fits {', '.join(fitting)}: change the parameter register.gate, so that it names one of them"
    return Finding(pattern, "measured", None, None, None, False, text)


def _at_least(metric: str, value: float, bound: float) -> Finding:
    text = f"{metric} is {value!r}; asked for is at least {bound!r}"
    return Finding(metric, "at_least", value, bound, None, value >= bound, text)


def _at_most(metric: str, value: float, bound: float) -> Finding:
    text = f"{metric} is {value!r}; asked for is at most {bound!r}"
    return Finding(metric, "at_most", value, bound, None, value <= bound, text)


def _better(metric: str, direction: str, challenger: Measured, champion: Champion | None) -> Finding:
    value = challenger.values[metric]

    def finding(bound: float | None, holds: bool, text: str) -> Finding:
        version = None if champion is None else champion.version
        return Finding(metric, f"{direction}_than_champion", value, bound, version, holds, text)

    if champion is None:
        return finding(None, True, f"{metric} is {value!r}; there is no champion yet to compare it with")
    if metric not in champion.measured.values:
        return finding(None, False, f"{metric} of the champion was never measured: {_measure_again(champion)}")
    differences = protocol_differences(champion.measured.protocols[metric], challenger.protocols[metric])
    if differences:
        reason = f"{metric} of the champion was measured by another protocol ({'; '.join(differences)})"
        return finding(champion.measured.values[metric], False, f"{reason}: {_measure_again(champion)}")
    bound = champion.measured.values[metric]
    holds = value > bound if direction == "higher" else value < bound
    relation = "which it is" if holds else "but it is equal" if value == bound else "but it is worse"
    asked = f"asked for is {direction} than {bound!r}, the champion's (version {champion.version}), {relation}"
    return finding(bound, holds, f"{metric} is {value!r}; {asked}")


def _measure_again(champion: Champion) -> str:
    return (
        f"evaluate {champion.model} with the present parameters and dataset, into another folder, then run this step "
        f"again with --champion-version {champion.version} --champion-metrics FOLDER"
    )
