"""Metrics are finite numbers, when written and when read."""

import pytest

from components.artifacts.errors import UserError
from components.artifacts.metrics import Metrics, read_metrics, write_metrics


def test_metrics_come_back_as_they_were(tmp_path):
    metrics = Metrics({"accuracy": 0.1 + 0.2, "count": 3, "negative": -1e-300}, {"samples": 10, "skipped": {}})
    write_metrics(tmp_path, metrics)
    assert read_metrics(tmp_path) == metrics


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, "0.5", None, 10**400])
def test_what_is_no_finite_number_is_not_written(tmp_path, value):
    with pytest.raises(ValueError, match="metric bad is"):
        write_metrics(tmp_path, Metrics({"good": 1.0, "bad": value}, {}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "true", "null", '"0.5"', "[0.5]", "{}", "1" + "0" * 400]
)
def test_what_is_no_finite_number_is_not_read(tmp_path, value):
    (tmp_path / "metrics.json").write_text(f'{{"good": 1.0, "bad": {value}}}')
    (tmp_path / "protocol.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json: bad is .*, not a finite number"):
        read_metrics(tmp_path)


@pytest.mark.parametrize(("metrics", "protocol"), [("[1]", "{}"), ("{}", "[]"), ("1", "{}"), ("{}", "null")])
def test_both_files_hold_an_object(tmp_path, metrics, protocol):
    (tmp_path / "metrics.json").write_text(metrics)
    (tmp_path / "protocol.json").write_text(protocol)
    with pytest.raises(UserError, match="must each hold one JSON object"):
        read_metrics(tmp_path)


@pytest.mark.parametrize("missing", ["metrics.json", "protocol.json"])
def test_a_missing_file_is_named(tmp_path, missing):
    write_metrics(tmp_path, Metrics({"a": 1.0}, {}))
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=f"{missing} does not exist"):
        read_metrics(tmp_path)
