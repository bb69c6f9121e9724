"""Who wins and who does not: the gate, on plain numbers."""

from pathlib import Path

import pytest

from components.artifacts.errors import UserError
from components.artifacts.metrics import Metrics
from components.artifacts.parameters import Condition
from components.register.gate import Champion, judge
from components.register.measured import Measured, merge

PROTOCOL = {"split": "test", "dataset": {"version": "a", "images": 500}}


def measured(values: dict[str, float], **protocol: object) -> Measured:
    return merge({"representation": Metrics(values, PROTOCOL | protocol)})


def champion(values: dict[str, float], **protocol: object) -> Champion:
    return Champion(3, measured(values, **protocol), Path("registry/versions/000003/model"))


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (Condition(0.9, None, None), 0.9, True),
        (Condition(0.9, None, None), 0.8999, False),
        (Condition(None, 1.5, None), 1.5, True),
        (Condition(None, 1.5, None), 1.5001, False),
        (Condition(None, None, "higher"), 0.9501, True),
        (Condition(None, None, "higher"), 0.95, False),
        (Condition(None, None, "higher"), 0.9499, False),
        (Condition(None, None, "lower"), 0.9499, True),
        (Condition(None, None, "lower"), 0.95, False),
        (Condition(None, None, "lower"), 0.9501, False),
        (Condition(0.99, None, "higher"), 0.96, False),
        (Condition(0.9, 0.97, "higher"), 0.96, True),
    ],
)
def test_better_wins_equal_and_worse_do_not(condition: Condition, value: float, holds: bool) -> None:
    findings = judge({"m": condition}, measured({"m": value}), champion({"m": 0.95}))
    assert all(finding.holds for finding in findings) is holds


def test_every_condition_is_looked_at_even_after_one_failed() -> None:
    gate = {"a": Condition(1.0, 0.0, None), "b": Condition(None, None, "lower")}
    findings = judge(gate, measured({"a": 0.5, "b": 2.0}), champion({"a": 0.5, "b": 1.0}))
    assert [(f.metric, f.condition, f.holds) for f in findings] == [
        ("a", "at_least", False),
        ("a", "at_most", False),
        ("b", "lower_than_champion", False),
    ]
    assert (findings[2].value, findings[2].bound, findings[2].champion) == (2.0, 1.0, 3)


def test_without_a_champion_the_comparison_holds_and_says_so() -> None:
    (finding,) = judge({"m": Condition(None, None, "higher")}, measured({"m": 0.1}), None)
    assert finding.holds
    assert "there is no champion yet" in finding.text


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"split": "validation"}, "split: 'validation' for the champion, 'test' here"),
        ({"dataset": {"version": "b", "images": 500}}, "dataset.version: 'b' for the champion, 'a' here"),
        ({"samples": 10}, "samples: 10 for the champion, not stated here"),
    ],
)
def test_another_protocol_does_not_win_however_good_the_number(other: dict[str, object], named: str) -> None:
    (finding,) = judge({"m": Condition(None, None, "higher")}, measured({"m": 0.99}), champion({"m": 0.1}, **other))
    assert not finding.holds
    assert named in finding.text
    assert "evaluate registry/versions/000003/model" in finding.text
    assert "--champion-version 3" in finding.text


def test_outcomes_are_no_part_of_the_protocol() -> None:
    challenger = measured({"m": 0.99}, outcomes={"selected_penalty": 0.1})
    (finding,) = judge(
        {"m": Condition(None, None, "higher")}, challenger, champion({"m": 0.1}, outcomes={"selected_penalty": 0.5})
    )
    assert finding.holds


def test_only_the_protocol_of_the_compared_metric_counts() -> None:
    def both(value: float, samples: int) -> Measured:
        return merge({"r": Metrics({"m": value}, PROTOCOL), "g": Metrics({"fd": 1.0}, {"samples": samples})})

    findings = judge({"m": Condition(None, None, "higher")}, both(0.9, 10), Champion(1, both(0.8, 20), Path("model")))
    assert all(finding.holds for finding in findings)


def test_a_metric_that_the_champion_lacks_is_no_win() -> None:
    (finding,) = judge({"m": Condition(None, None, "higher")}, measured({"m": 1.0}), champion({"n": 0.1}))
    assert not finding.holds
    assert "m of the champion was never measured" in finding.text


def test_missing_metric_quotes_why_it_was_skipped_and_names_the_parameter() -> None:
    challenger = merge({"representation": Metrics({}, {"skipped": "the dataset has no labels"})})
    (finding,) = judge({"m": Condition(0.1, None, None)}, challenger, None)
    assert not finding.holds
    assert "representation was skipped: the dataset has no labels" in finding.text
    assert "register.gate" in finding.text


def test_misspelt_metric_is_answered_with_the_close_ones() -> None:
    (finding,) = judge(
        {"linear_top1_avgpool_test": Condition(0.1, None, None)}, measured({"linear_top1_avepool_test": 0.9}), None
    )
    assert not finding.holds
    assert "linear_top1_avepool_test" in finding.text


def test_a_pattern_stands_for_the_one_key_that_fits_it() -> None:
    gate = {"fd_*_samples500_train*": Condition(None, None, "lower")}
    numbers = {"fd_rotations_samples500_train40": 1.0, "fd_rotations_test500_train40": 0.1}
    (finding,) = judge(gate, measured(numbers), champion({"fd_rotations_samples500_train40": 2.0}))
    assert finding.holds
    assert finding.metric == "fd_rotations_samples500_train40"


def test_a_metric_that_was_left_out_is_refused_with_the_reason_of_that_very_metric() -> None:
    protocol = {"not_measured": {"fd_rotations_samples5000_train6": "fewer images than features", "floor": "no test"}}
    (finding,) = judge({"fd_*_samples5000_train*": Condition(9.0)}, merge({"generation": Metrics({}, protocol)}), None)
    assert not finding.holds
    assert "fd_rotations_samples5000_train6: fewer images than features" in finding.text
    assert "no test" not in finding.text


def test_a_pattern_that_fits_several_keys_is_refused_by_name() -> None:
    (finding,) = judge({"fd_*": Condition(0.0)}, measured({"fd_a": 1.0, "fd_b": 1.0}), None)
    assert not finding.holds
    assert "fits fd_a, fd_b" in finding.text


def test_the_same_key_in_two_artifacts_is_an_error() -> None:
    with pytest.raises(UserError, match="metric m is in a and in b"):
        merge({"a": Metrics({"m": 1.0}, {}), "b": Metrics({"m": 1.0}, {})})


def test_what_the_other_model_cannot_have_is_no_other_protocol() -> None:
    gate = {"m": Condition(None, None, "lower")}
    gan = measured({"m": 1.0}, not_measured={"reconstruction_l1_test20": "the model has no encoder"})
    (finding,) = judge(gate, gan, champion({"m": 2.0}, not_measured={}))
    assert finding.holds
