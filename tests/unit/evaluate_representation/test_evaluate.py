import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UserError
from components.artifacts.metrics import read_metrics
from components.artifacts.model import Model, save_model
from components.artifacts.parameters import EvaluateRepresentation
from components.bigbigan.build import build_networks
from components.evaluate_representation.__main__ import main
from tests.unit.evaluate_representation.alone import evaluate
from tests.unit.toy_model import AUTOENCODER, CONFIG, GAN, with_values

MakeDataset = Callable[..., Dataset]


def test_a_labelled_dataset_gives_metrics_protocol_pictures_and_a_table(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    lines = evaluate(model, make_dataset(), parameters, tmp_path / "out")
    metrics = read_metrics(tmp_path / "out")
    views = ["avepool", "bn_crelu", "mu", "pixels", "untrained_avepool", "untrained_bn_crelu", "discriminator"]
    expected = {f"{kind}_{view}_test" for kind in ("linear_top1", "knn1_top1", "knn5_top1") for view in views}
    for view in ("avepool", "bn_crelu", "pixels"):
        for draws in ("3_per_class", "10_percent"):
            expected |= {f"linear_top1_{view}_{draws}_test_{statistic}" for statistic in ("mean", "std")}
    assert metrics.values.keys() == expected
    assert all(0 <= value <= 1 for value in metrics.values.values())
    assert metrics.values["linear_top1_pixels_test"] == 1.0
    assert metrics.values["knn5_top1_pixels_test"] == 1.0
    assert metrics.protocol["dataset_version"] == "abc"
    assert metrics.protocol["images"] == {"train": 60, "validation": 30, "test": 30}
    assert metrics.protocol["seed"] == 0
    selected = metrics.protocol["outcomes"]["selected_penalty"]
    few = {f"{view}_{draws}" for view in ("avepool", "bn_crelu", "pixels") for draws in ("3_per_class", "10_percent")}
    assert selected.keys() == {*views, *few}
    assert metrics.protocol["outcomes"]["passes_over_train"].keys() == set(views)
    assert metrics.protocol["few_labels"]["draws"] == ["3_per_class", "10_percent"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "metrics.json",
        "protocol.json",
        "confusion.png",
        "per_class.csv",
        "per_class.png",
        "neighbours.png",
    }
    assert sum(line.split()[0] in views for line in lines) == 7


def test_the_protocol_is_the_same_for_another_model_but_for_its_outcomes(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    dataset = make_dataset()
    evaluate(model, dataset, parameters, tmp_path / "a")
    for weight in model.networks.encoder.parameters():
        weight.data *= -0.5
    evaluate(model, dataset, replace(parameters, batch_size=7), tmp_path / "b")
    ours, theirs = (read_metrics(tmp_path / name).protocol for name in "ab")
    del ours["outcomes"], theirs["outcomes"]
    assert ours == theirs


def test_the_same_run_gives_the_same_bytes(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    dataset = make_dataset()
    for name in "ab":
        evaluate(model, dataset, parameters, tmp_path / name, cache=tmp_path / f"cache-{name}")
    for name in ("metrics.json", "protocol.json", "confusion.png", "per_class.csv", "per_class.png", "neighbours.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_penalty_at_the_edge_of_the_grid_is_said_aloud(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    lines = evaluate(model, make_dataset(), parameters, tmp_path / "out")
    assert any(line.startswith("warning: the penalty selected for pixels, 0.1, is at the edge") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"unlabelled": True}, "the dataset has no labels"),
        ({"classes": ["only"]}, "all train images are of one class"),
        ({"labels": {"train": np.zeros(60, np.int64)}}, "all train images are of one class"),
    ],
    ids=["unlabelled", "one_class", "one_class_in_train"],
)
def test_without_classes_to_tell_apart_it_is_skipped_aloud_and_neighbours_are_drawn(
    tmp_path: Path,
    model: Model,
    make_dataset: MakeDataset,
    parameters: EvaluateRepresentation,
    arguments: dict[str, object],
    reason: str,
) -> None:
    lines = evaluate(model, make_dataset(**arguments), parameters, tmp_path / "out")
    metrics = read_metrics(tmp_path / "out")
    assert metrics.values == {}
    assert metrics.protocol == {"skipped": reason}
    assert len(lines) == 1
    assert reason in lines[0]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"metrics.json", "protocol.json", "neighbours.png"}


def test_a_model_without_encoder_is_skipped_aloud_even_if_a_split_is_empty(
    tmp_path: Path, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    gan = Model(build_networks(GAN, seed=0), GAN, {})
    lines = evaluate(gan, make_dataset(counts=(60, 0, 30)), parameters, tmp_path / "out")
    assert lines == ["skipped the linear probe, kNN and the pictures: the model has no encoder"]
    metrics = read_metrics(tmp_path / "out")
    assert metrics.values == {}
    assert metrics.protocol == {"skipped": "the model has no encoder"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"metrics.json", "protocol.json"}


@pytest.mark.parametrize(
    "encoder",
    [
        {"sigma": "none"},
        {"sigma": "exp", "head_layers": 0, "output": "tanh"},
        {"trunk": {"kind": "mlp", "width": 6}},
    ],
    ids=["deterministic", "linear_head", "mlp"],
)
def test_every_kind_of_encoder_is_measured_alike(
    tmp_path: Path, make_dataset: MakeDataset, parameters: EvaluateRepresentation, encoder: dict[str, Any]
) -> None:
    config = with_values(AUTOENCODER, {f"model.encoder.{key}": value for key, value in encoder.items()})
    model = Model(build_networks(config, seed=0).eval().requires_grad_(False), config, {})
    evaluate(model, make_dataset(), parameters, tmp_path / "out")
    keys = read_metrics(tmp_path / "out").values.keys()
    assert {"linear_top1_mu_test", "knn1_top1_untrained_avepool_test"} <= keys


@pytest.mark.parametrize(
    ("split", "remark"),
    [
        ("train", "train has no image of three: never predicted, so that 10 of 30 test images are counted as wrong"),
        ("validation", None),
        ("test", "test has no image of three: of that nothing is measured"),
    ],
)
def test_a_class_may_be_absent_from_a_split_and_it_is_said(
    tmp_path: Path,
    model: Model,
    make_dataset: MakeDataset,
    parameters: EvaluateRepresentation,
    split: str,
    remark: str | None,
) -> None:
    count = 60 if split == "train" else 30
    dataset = make_dataset(labels={split: np.arange(count) % 2})
    lines = evaluate(model, dataset, parameters, tmp_path / "out")
    accuracy = read_metrics(tmp_path / "out").values["linear_top1_pixels_test"]
    assert accuracy == pytest.approx(2 / 3 if split == "train" else 1.0)
    assert [line for line in lines if "has no image of" in line] == ([remark] if remark else [])


def test_one_image_per_class_is_measured_and_what_it_cannot_give_is_said(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    names = [f"class {index}" for index in range(8)]
    dataset = make_dataset(classes=names, counts=(8, 8, 16))
    lines = evaluate(model, dataset, parameters, tmp_path / "out")
    metrics = read_metrics(tmp_path / "out")
    assert metrics.values["linear_top1_pixels_test"] == 1.0
    assert metrics.values["linear_top5_pixels_test"] == 1.0
    assert not any("per_class" in key or "percent" in key for key in metrics.values)
    beginnings = ("skipped 3 labels", "skipped 10 % of", "train has a single image", "pixels: 8 train images for 64")
    for beginning in beginnings:
        (line,) = (line for line in lines if line.startswith(beginning))
        assert line in metrics.protocol["outcomes"]["remarks"]
    (line,) = (line for line in lines if line.startswith("train has a single image"))
    assert line == "train has a single image of class 0, class 1, class 2, class 3, class 4 and 3 more classes"


def test_a_second_run_takes_the_features_from_the_cache_and_gives_the_same_numbers(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    dataset = make_dataset()
    first = evaluate(model, dataset, parameters, tmp_path / "a")
    model.networks.encoder.trunk.register_forward_hook(lambda *_: pytest.fail("computed again"))
    second = evaluate(model, dataset, parameters, tmp_path / "b")
    assert second[0].endswith("features of the trained encoder, untrained encoder, discriminator")
    assert second[1:] == first
    assert read_metrics(tmp_path / "a") == read_metrics(tmp_path / "b")


def test_a_discriminator_without_features_of_images_is_left_out_and_said(
    tmp_path: Path, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    config = with_values(CONFIG, {"model.discriminator": {"kind": "mlp", "width": 6, "scores": ["joint"]}})
    model = Model(build_networks(config, seed=0).eval().requires_grad_(False), config, {})
    lines = evaluate(model, make_dataset(), parameters, tmp_path / "out")
    assert "skipped the view discriminator: all features of this discriminator depend on z" in lines
    assert "linear_top1_discriminator_test" not in read_metrics(tmp_path / "out").values


def test_more_labels_a_class_than_there_are_is_left_out_aloud(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    lines = evaluate(model, make_dataset(), replace(parameters, labels_per_class=[3, 21]), tmp_path / "out")
    (line,) = (line for line in lines if line.startswith("skipped 21 labels a class"))
    assert "the smallest class, one, has 20 train images" in line
    metrics = read_metrics(tmp_path / "out")
    assert metrics.protocol["few_labels"]["draws"] == ["3_per_class", "10_percent"]
    assert not any("21_per_class" in key for key in metrics.values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 12}, "the dataset's images are 12×12×1, but the model was made for 8×8×1"),
        ({"counts": (60, 0, 30)}, "the validation split of the dataset is empty"),
        ({"counts": (60, 30, 0)}, "the test split of the dataset is empty"),
    ],
    ids=["shape", "no_validation", "no_test"],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(
    tmp_path: Path,
    model: Model,
    make_dataset: MakeDataset,
    parameters: EvaluateRepresentation,
    arguments: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(UserError, match=message):
        evaluate(model, make_dataset(**arguments), parameters, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_neighbours_than_train_images_are_left_out_aloud(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    lines = evaluate(model, make_dataset(), replace(parameters, neighbours=[1, 61]), tmp_path / "out")
    assert any("skipped kNN with k = 61" in line for line in lines)
    keys = read_metrics(tmp_path / "out").values.keys()
    assert "knn1_top1_avepool_test" in keys
    assert not any(key.startswith("knn61") for key in keys)


def test_a_broken_encoder_is_refused(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateRepresentation
) -> None:
    next(model.networks.encoder.parameters()).data[0] = float("nan")
    with pytest.raises(UserError, match="the trained encoder gives features that are not finite"):
        evaluate(model, make_dataset(), parameters, tmp_path / "out")


def test_the_command(
    tmp_path: Path,
    model: Model,
    make_dataset: MakeDataset,
    parameters: EvaluateRepresentation,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_dataset()
    (tmp_path / "model").mkdir()
    save_model(tmp_path / "model", model.networks, model.config, model.provenance)
    (tmp_path / "resolved.yaml").write_text(
        yaml.safe_dump({"evaluate_representation": asdict(parameters) | {"seed": 4}})
    )
    flags = {"--params": "resolved.yaml", "--model": "model", "--dataset": "dataset", "--output": "evaluation/out"}
    flags["--cache"] = "cache"
    monkeypatch.setattr(
        sys, "argv", ["x", *(part for flag, name in flags.items() for part in (flag, str(tmp_path / name)))]
    )
    main()
    assert "linear top-1" in capsys.readouterr().out
    assert json.loads((tmp_path / "evaluation/out/protocol.json").read_text())["seed"] == 4
