"""The numbers that decide, and the gate's conditions in words."""

from typing import Any

import pytest

from components.report.tiles import tiles
from components.report.verdict import judged

VALUES = {
    "linear_top1_bn_crelu_test": 0.93,
    "linear_top1_pixels_test": 0.894,
    "fd_a_samples5000_train4000": 2.5,
    "odd": -3.0,
}


def condition(metric: str, kind: str, bound: float | None, holds: bool, champion: int | None = None) -> dict[str, Any]:
    text = f"{metric} in the words of the gate"
    return {
        "metric": metric, "condition": kind, "value": VALUES.get(metric), "bound": bound, "champion": champion,
        "holds": holds, "text": text,
    }  # fmt: skip


def test_what_the_gate_asks_for_comes_first_and_once() -> None:
    conditions = [
        condition("fd_a_samples5000_train4000", "at_most", 5.0, True),
        condition("linear_top1_bn_crelu_test", "at_least", 0.95, False),
        condition("linear_top1_bn_crelu_test", "higher_than_champion", 0.9, True, champion=2),
        condition("unmeasured", "measured", None, False),
    ]
    shown = tiles(VALUES, conditions)
    assert [tile.number.key for tile in shown] == ["fd_a_samples5000_train4000", "linear_top1_bn_crelu_test"]
    assert [tile.holds for tile in shown] == [True, False]
    assert [(mark.name, mark.text) for mark in shown[1].marks] == [
        ("raw pixels", "89.4 %"),
        ("gate: at least", "95.0 %"),
        ("gate: above version 2", "90.0 %"),
    ]


def test_champion_that_was_not_beaten_is_no_mark_for_it_may_be_of_another_protocol() -> None:
    (tile,) = tiles({"odd": -3.0}, [condition("odd", "lower_than_champion", -2.0, False, champion=2)])
    assert tile.marks == []
    assert tile.holds is False


def test_bars_are_to_scale() -> None:
    probe, distance = tiles(
        VALUES,
        [
            condition("linear_top1_bn_crelu_test", "at_least", 0.5, True),
            condition("fd_a_samples5000_train4000", "at_most", 5.0, True),
        ],
    )
    assert (probe.position, [mark.position for mark in probe.marks]) == (93.0, [89.4, 50.0])
    assert distance.position * 2 == pytest.approx(distance.marks[0].position, abs=0.2)


def test_number_below_zero_and_of_an_unknown_key_has_a_tile() -> None:
    (tile,) = tiles({"odd": -3.0}, [condition("odd", "at_most", -2.0, True)])
    assert (tile.title, tile.better, tile.position) == ("odd", "", 0.0)


def test_condition_that_holds_is_told_in_short_one_that_does_not_in_the_words_of_the_gate() -> None:
    short, champion, none_yet, failed = judged(
        VALUES,
        [
            condition("linear_top1_bn_crelu_test", "at_least", 0.9, True),
            condition("linear_top1_bn_crelu_test", "higher_than_champion", 0.9, True, champion=2),
            condition("linear_top1_bn_crelu_test", "higher_than_champion", None, True),
            condition("fd_a_samples5000_train4000", "at_most", 2.0, False),
        ],
    )
    assert (short.title, short.told) == ("linear probe, BN+CReLU", "asked for: at least 90.0 %")
    assert short.number is not None
    assert short.number.text == "93.0 %"
    assert champion.told == "asked for: above 90.0 %, the number of version 2"
    assert none_yet.told == "there was no champion yet to compare it with"
    assert (failed.number, failed.told) == (None, "fd_a_samples5000_train4000 in the words of the gate")
