"""The closing block: what it shows, what it says when something was skipped or is missing."""

from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import UserError
from components.artifacts.files import write_json
from components.artifacts.metrics import Metrics, write_metrics
from components.report.block import frechet_rows, main, representation_rows

ACCURACIES = {
    "linear_top1_bn_crelu_test": 0.9561,
    "linear_top1_avepool_test": 0.95,
    "linear_top1_mu_test": 0.5,
    "linear_top1_pixels_test": 0.9084,
    "linear_top1_untrained_bn_crelu_test": 0.68,
    "linear_top1_untrained_avepool_test": 0.67,
    "linear_top5_bn_crelu_test": 0.999,
    "linear_top1_bn_crelu_10_per_class_test_mean": 0.8,
    "linear_top1_bn_crelu_10_per_class_test_std": 0.01,
    "linear_top1_pixels_10_per_class_test_mean": 0.7,
    "knn5_top1_avepool_test": 0.9,
    "knn25_top1_avepool_test": 0.89,
    "knn5_top1_pixels_test": 0.93,
    "knn5_top1_untrained_avepool_test": 0.6,
}
DISTANCES = {
    "fd_classifier_samples500_train4000": 0.954,
    "fd_classifier_test500_train4000": 0.121,
    "fd_classifier_samples5000_train4000": 0.9,
    "standard_error_fd_classifier_samples5000_train4000": 0.1,
    "extrapolated_fd_classifier_samples5000_train4000": 0.8,
    "precision_classifier_samples500_train4000": 0.5,
}
DECISION = {
    "name": "toy",
    "run_id": "run",
    "registered": True,
    "version": 4,
    "champion": True,
    "conditions": [],
    "reasons": ["m is 0.95; better"],
}


def test_accuracies_stand_beside_their_own_baselines() -> None:
    assert representation_rows(ACCURACIES) == [
        ("linear probe, BN+CReLU", "95.6 %", "68.0 %", "90.8 %"),
        ("linear probe, AvePool", "95.0 %", "67.0 %", "90.8 %"),
        ("linear probe, 10 labels a class, BN+CReLU", "80.0 %", "-", "70.0 %"),
        ("kNN, k = 5, AvePool", "90.0 %", "60.0 %", "93.0 %"),
        ("kNN, k = 25, AvePool", "89.0 %", "-", "-"),
    ]


def test_frechet_distance_stands_beside_the_floor_of_as_many_images() -> None:
    assert frechet_rows(DISTANCES) == [
        ("fd_classifier_samples5000_train4000", "0.900", "-"),
        ("fd_classifier_samples500_train4000", "0.954", "0.121"),
    ]


def test_inception_is_shown_under_its_own_name() -> None:
    assert frechet_rows({"fid_samples10_train20": 7.0, "fid_test10_train20": 1.0}) == [
        ("fid_samples10_train20", "7.000", "1.000")
    ]


def prepare(root: Path, decision: dict[str, Any], representation: Metrics) -> None:
    write_json(root / "registration" / "registration.json", decision)
    write_metrics(root / "representation", representation)
    write_metrics(root / "generation", Metrics(DISTANCES, {}))
    (root / "generation" / "samples.png").write_bytes(b"")
    (root / "dataset").mkdir()
    (root / "dataset" / "contact_sheet.png").write_bytes(b"")


def show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path) -> str:
    monkeypatch.chdir(root)
    places = ["--registration", "registration", "--metrics", "representation", "generation"]
    pictures = ["--pictures", "dataset/contact_sheet.png", "absent.png", "no_folder"]
    main([*places, *pictures, "--page", "page.html"])
    return capsys.readouterr().out


def test_whole_block(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    prepare(tmp_path, DECISION, Metrics(ACCURACIES, {}))
    text = show(monkeypatch, capsys, tmp_path)
    for part in ("95.6 %", "0.954", "registered as version 4 of toy, and champion", "m is 0.95; better"):
        assert part in text
    assert "dataset/contact_sheet.png\n  generation/samples.png\n" in text
    assert "absent" not in text
    assert "no_folder" not in text
    for command in ("make run DATA=", "dvc exp run -S '+train.lr=0.0005'\n", "dvc exp show --only-changed\n"):
        assert command in text
    assert max(map(len, text.splitlines())) <= 88


def test_skipped_representation_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    prepare(tmp_path, DECISION, Metrics({}, {"skipped": "the dataset has no labels"}))
    text = show(monkeypatch, capsys, tmp_path)
    assert "representation: the dataset has no labels" in text
    assert "accuracy" not in text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"registered": False, "version": None, "champion": False}, "Registry: refused, because\n  - a long"),
        ({"registered": True, "version": 2, "champion": False}, "version 2 of toy, but not champion, because\n"),
    ],
)
def test_refusal_says_why_and_long_reasons_are_wrapped(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    outcome: dict[str, Any],
    said: str,
) -> None:
    reason = "a long reason " + "word " * 40 + "end"
    prepare(tmp_path, DECISION | outcome | {"reasons": [reason]}, Metrics(ACCURACIES, {}))
    text = show(monkeypatch, capsys, tmp_path)
    assert said in text
    assert " ".join(reason.split()) in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 88


def test_page_is_named_first_if_it_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    prepare(tmp_path, DECISION, Metrics(ACCURACIES, {}))
    assert "page.html" not in show(monkeypatch, capsys, tmp_path)
    (tmp_path / "page.html").write_text("")
    assert show(monkeypatch, capsys, tmp_path).splitlines()[1] == "Open in a browser: page.html"


@pytest.mark.parametrize("missing", ["registration/registration.json", "representation/metrics.json"])
def test_missing_file_sends_to_dvc_repro(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, missing: str
) -> None:
    prepare(tmp_path, DECISION, Metrics(ACCURACIES, {}))
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=f"{missing} does not exist yet: run `dvc repro`"):
        show(monkeypatch, capsys, tmp_path)


def test_foreign_registration_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    prepare(tmp_path, {"registered": True}, Metrics(ACCURACIES, {}))
    with pytest.raises(UserError, match="no decision of the step `register`"):
        show(monkeypatch, capsys, tmp_path)
