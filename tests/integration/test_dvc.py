"""What a DVC user does, tried with the real commands on runs of a few steps.

The tests share one clone and go from top to bottom, as a person would.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

STAGES = [
    "compose", "digits", "prepare", "train", "feature_network",
    "evaluate_representation", "evaluate_generation", "register", "report",
]  # fmt: skip


@pytest.fixture(scope="module")
def clone(make_clone: Callable[[], Any]) -> Any:
    clone = make_clone()
    clone.first_run = clone.run("dvc repro")
    clone.run("git add -A && git commit -qm 'first run'")
    return clone


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '(\w+)'", output))


def change(clone: Any, **values: Any) -> None:
    """Writes keys into params.yaml, as a person with an editor would."""
    path = clone.path / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))


def used(clone: Any) -> dict[str, Any]:
    """The parameters that the model in the workspace says it was trained with."""
    provenance = json.loads((clone.path / "model/model.json").read_text())["provenance"]
    parameters: dict[str, Any] = provenance["parameters"]
    return parameters


def test_the_first_repro_runs_every_stage_and_leaves_every_artifact(clone: Any) -> None:
    assert stages_run(clone.first_run) == set(STAGES)
    for name in (
        "data/dataset/manifest.json", "data/dataset/contact_sheet.png", "model/model.json", "model/samples.png",
        "model/curves.png", "evaluation/representation/metrics.json", "evaluation/representation/confusion.png",
        "evaluation/generation/metrics.json", "evaluation/generation/samples.png", "registration/registration.json",
        "report/index.html",
    ):  # fmt: skip
        assert (clone.path / name).stat().st_size > 0, name


def test_the_closing_block_says_what_came_out(clone: Any) -> None:
    block = clone.run(
        "python -m components.report block --page report/index.html --registration registration "
        "--metrics evaluation/representation evaluation/generation --pictures data/dataset model"
    )
    for word in (
        "report/index.html", "pixels", "untrained", "floor", "samples.png", "make run DATA=", "dvc exp run",
        "dvc exp show",
    ):  # fmt: skip
        assert word in block, word
    assert "registered" in block or "refused" in block


def test_a_second_repro_runs_nothing(clone: Any) -> None:
    output = clone.run("dvc repro")
    assert stages_run(output) == set()
    assert "up to date" in output


def test_the_probe_parameters_rerun_the_probe_and_not_the_training(clone: Any) -> None:
    change(clone, evaluate_representation={"low_label_draws": 3})
    assert stages_run(clone.run("dvc repro")) <= {"compose", "evaluate_representation", "register", "report"}
    protocol = json.loads((clone.path / "evaluation/representation/protocol.json").read_text())
    assert protocol["few_labels"]["number_of_draws"] == 3
    assert "evaluate_representation.low_label_draws" in clone.run("dvc params diff")
    clone.run("git checkout -q params.yaml && dvc repro")


def test_monitoring_reruns_nothing_but_compose_and_the_page(clone: Any) -> None:
    change(clone, monitoring={"log_interval": 3})
    assert stages_run(clone.run("dvc repro")) == {"compose", "report"}
    clone.run("git checkout -q params.yaml && dvc repro")


def test_an_experiment_uses_what_it_was_given(clone: Any) -> None:
    clone.run("dvc exp run -n faster -S '+train.lr=0.003' -S '+model.encoder.sigma=none'")
    assert used(clone)["train"]["lr"] == 0.003
    assert used(clone)["model"]["encoder"]["sigma"] == "none"
    assert "train.lr" in clone.run("dvc params diff")
    assert "linear_top1_bn_crelu_test" in clone.run("dvc metrics diff --all")
    shown = json.loads(clone.run("dvc exp show --json 2> show.log"))
    text = json.dumps(shown)
    assert '"faster"' in text
    assert '"lr": 0.003' in text
    assert "fd_classifier" in text
    clone.run("git checkout -q . && dvc checkout -q")


def test_a_key_without_a_plus_is_refused_by_dvc_itself(clone: Any) -> None:
    assert "+train" in clone.run("dvc exp run -S train.lr=0.003", fails=True)
    clone.run("git checkout -q .")


def test_an_unknown_key_stops_at_compose_and_nothing_else_runs(clone: Any) -> None:
    output = clone.run("dvc exp run -S '+train.learning_rate=0.003'", fails=True)
    assert "train.learning_rate is not a parameter; train has: " in output
    assert stages_run(output) == {"compose"}
    clone.run("git checkout -q . && dvc checkout -q")


def test_a_queue_trains_with_each_of_its_values(clone: Any) -> None:
    clone.run("dvc exp run --queue -S '+train.lr=0.0011,0.0012'")
    clone.run("dvc exp run --run-all --jobs 1")
    names = re.findall(r"\S+", clone.run("dvc exp list --name-only"))
    rates = set()
    for name in names:
        clone.run(f"dvc exp apply -q {name} && dvc checkout -q")
        rates.add(used(clone)["train"]["lr"])
        clone.run("git checkout -q . && dvc checkout -q")
    assert rates >= {0.0011, 0.0012}


def test_another_experiment_can_be_named(clone: Any) -> None:
    clone.run("dvc exp run -S experiment=images")
    assert used(clone)["image"] == {"size": 32, "channels": 3}
    clone.run("git checkout -q . && dvc checkout -q")


def test_plots_show_the_curves_of_two_revisions(clone: Any) -> None:
    clone.run("dvc plots diff HEAD -o plots-page")
    page = (clone.path / "plots-page/index.html").read_text()
    assert "discriminator/loss" in page
    assert "samples.png" in page


def test_a_folder_without_labels_goes_to_the_end_and_its_changes_are_noticed(clone: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for index in range(260):
        pixels = generator.integers(0, 256, (40, 36, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index:03d}.jpg")
    clone.run(f"dvc exp run -S experiment=images -S source={tmp_path}")
    protocol = json.loads((clone.path / "evaluation/representation/protocol.json").read_text())
    assert "no labels" in protocol["skipped"]
    metrics = json.loads((clone.path / "evaluation/generation/metrics.json").read_text())
    assert any(key.startswith("fd_rotations") for key in metrics)
    assert stages_run(clone.run("dvc repro")) == set()

    def images_in_dataset() -> int:
        splits = json.loads((clone.path / "data/dataset/manifest.json").read_text())["splits"]
        return sum(split["images"] for split in splits.values())

    before = images_in_dataset()
    for action in (
        lambda: Image.new("RGB", (40, 40)).save(tmp_path / "000.jpg"),  # changed
        lambda: Image.new("RGB", (40, 40), "red").save(tmp_path / "new.png"),  # added
        lambda: (tmp_path / "001.jpg").unlink(),  # removed
    ):
        action()
        assert "prepare" in stages_run(clone.run("dvc repro prepare"))
    assert images_in_dataset() == before
