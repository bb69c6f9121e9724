"""The step as a whole, on one writer: what it writes, refuses, repeats and survives."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from components.artifacts.errors import UserError
from components.artifacts.files import sha256, write_json
from components.artifacts.parameters import Parameters
from components.register.card import PARAMETERS
from components.register.lineage import git_revision
from components.register.registry import Registry


def test_first_model_becomes_version_1_and_champion(workplace: Any, register: Any) -> None:
    decision = register(workplace.candidate("a", 0.9))
    assert (decision["registered"], decision["version"], decision["champion"]) == (True, 1, True)
    version = workplace.registry / "versions" / "000001"
    entry = json.loads((version / "entry.json").read_text())
    present = {path.relative_to(version).as_posix() for path in version.rglob("*") if path.is_file()}
    assert present == entry["files"].keys() | {"entry.json"}
    assert all(sha256(version / name) == expected["sha256"] for name, expected in entry["files"].items())
    assert entry["dataset"] == {"version": "data-1", "counts": {"train": 4, "validation": 2, "test": 3}}
    record = json.loads((workplace.registry / "aliases" / "champion" / "000001.json").read_text())
    assert (record["version"], record["previous"], record["run_id"]) == (1, None, decision["run_id"])


def test_better_replaces_the_champion_equal_and_worse_are_recorded_as_refused(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    for name, accuracy in (("equal", 0.8), ("worse", 0.7)):
        decision = register(workplace.candidate(name, accuracy), "--run-id", name)
        assert (decision["registered"], decision["version"], decision["champion"]) == (False, None, False)
        kept = json.loads((workplace.registry / "refusals" / f"{name}.json").read_text())
        assert kept == decision
        assert f"but it is {name}" in kept["reasons"][0]
    decision = register(workplace.candidate("better", 0.9))
    assert (decision["version"], decision["champion"]) == (2, True)
    assert [record["version"] for record in Registry(workplace.registry).champion_records().values()] == [1, 2]


def test_refusal_is_said_plainly_and_is_no_failure(workplace: Any) -> None:
    workplace.gate({"linear_top1_bn_crelu_test": {"at_least": 0.99, "at_most": None, "better_than_champion": None}})
    process = workplace.start(workplace.candidate("a", 0.9))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert output.startswith("refused: linear_top1_bn_crelu_test is 0.9; asked for is at least 0.99")
    assert workplace.names("versions") == []


def test_other_protocol_is_refused_until_the_champion_is_measured_again(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    challenger = workplace.candidate("b", 0.9, images=7)
    assert "images: not stated for the champion, 7 here" in register(challenger)["reasons"][0]
    again = workplace.candidate("again", 0.95, images=7) / "representation"
    assert not register(challenger, "--champion-version", "1", "--champion-metrics", str(again))["registered"]
    again = workplace.candidate("again", 0.85, images=7) / "representation"
    decision = register(challenger, "--champion-version", "1", "--champion-metrics", str(again))
    assert decision["champion"]
    assert decision["conditions"][1]["bound"] == 0.85


def test_numbers_measured_again_count_for_their_own_version_only(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    register(workplace.candidate("b", 0.9))
    again = workplace.candidate("again", 0.1) / "representation"
    decision = register(workplace.candidate("c", 0.85), "--champion-version", "1", "--champion-metrics", str(again))
    assert not decision["registered"]
    assert decision["conditions"][1]["bound"] == 0.9
    decision = register(workplace.candidate("c", 0.85), "--champion-version", "2", "--champion-metrics", str(again))
    assert decision["champion"]


def test_repeated_run_gets_its_first_decision_and_makes_nothing_new(workplace: Any, register: Any) -> None:
    first = register(workplace.candidate("a", 0.8))
    register(workplace.candidate("b", 0.9))
    refused = register(workplace.candidate("c", 0.85), "--run-id", "c")
    before = {path: path.stat().st_mtime_ns for path in workplace.registry.rglob("*")}
    assert register(workplace.candidate("a", 0.8)) == first
    assert register(workplace.candidate("c", 0.85), "--run-id", "c") == refused
    assert {path: path.stat().st_mtime_ns for path in workplace.registry.rglob("*")} == before


def test_run_id_of_another_model_is_an_error(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8), "--run-id", "x")
    with pytest.raises(UserError, match="run id x stands for another model"):
        register(workplace.candidate("b", 0.9), "--run-id", "x")


@pytest.mark.parametrize("run_id", ["", "../x", ".hidden", "a/b", "x" * 129])
def test_run_id_that_cannot_be_a_file_name_is_an_error(workplace: Any, register: Any, run_id: str) -> None:
    with pytest.raises(UserError, match="--run-id"):
        register(workplace.candidate("a", 0.8), "--run-id", run_id)


def test_pictures_made_anew_do_not_make_another_run(workplace: Any, register: Any) -> None:
    first = register(workplace.candidate("a", 0.8))
    folder = workplace.candidate("a", 0.8)
    (folder / "representation" / "confusion_matrix.png").write_bytes(b"the same picture, other compression")
    assert register(folder) == first


def remove_weights(folder: Path) -> None:
    (folder / "model" / "encoder.safetensors").unlink()


def empty_weights(folder: Path) -> None:
    (folder / "model" / "encoder.safetensors").write_bytes(b"")


def drop_provenance(folder: Path) -> None:
    write_json(folder / "model" / "model.json", {"config": {}, "files": {}})


def other_dataset(folder: Path) -> None:
    path = folder / "model" / "model.json"
    path.write_text(path.read_text().replace("data-1", "data-2"))


def change_weights(folder: Path) -> None:
    (folder / "model" / "encoder.safetensors").write_bytes(b"another encoder")


def name_no_weights(folder: Path) -> None:
    path = folder / "model" / "model.json"
    write_json(path, json.loads(path.read_text()) | {"files": {}})


def drop_networks(folder: Path) -> None:
    path = folder / "model" / "model.json"
    write_json(path, json.loads(path.read_text()) | {"config": {}})


def nan_metric(folder: Path) -> None:
    (folder / "representation" / "metrics.json").write_text('{"linear_top1_bn_crelu_test": NaN}')


def no_metrics(folder: Path) -> None:
    shutil.rmtree(folder / "representation")


def key_in_two_places(folder: Path) -> None:
    shutil.copy(folder / "representation" / "metrics.json", folder / "generation" / "metrics.json")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_weights, "encoder.safetensors is missing or empty"),
        (empty_weights, "encoder.safetensors is missing or empty"),
        (change_weights, "encoder.safetensors is not the file that model.json names"),
        (name_no_weights, "generator.safetensors is not the file that model.json names"),
        (drop_networks, "model.json has no config.model"),
        (drop_provenance, "no provenance"),
        (other_dataset, "trained on dataset version data-2"),
        (nan_metric, "not a finite number"),
        (no_metrics, "does not exist"),
        (key_in_two_places, "is in representation and in generation"),
    ],
)
def test_bad_input_is_an_error_before_anything_is_written(
    workplace: Any, register: Any, spoil: Any, message: str
) -> None:
    folder = workplace.candidate("a", 0.9)
    spoil(folder)
    with pytest.raises(UserError, match=message):
        register(folder)
    assert not workplace.registry.exists()
    assert not (workplace.root / "registration-a").exists()


def test_champion_whose_metrics_were_tampered_with_is_not_compared_with(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.9))
    kept = workplace.registry / "versions" / "000001" / "metrics" / "representation" / "metrics.json"
    kept.write_text(kept.read_text().replace("0.9", "0.6"))
    with pytest.raises(UserError, match="was changed or removed after it was registered"):
        register(workplace.candidate("b", 0.8))


def test_killed_while_copying_leaves_nothing_visible_and_the_next_run_works(workplace: Any, register: Any) -> None:
    half = workplace.registry / "versions" / ".partial-run-0123" / "model"
    half.mkdir(parents=True)
    (half / "model.json").write_text("{")
    assert Registry(workplace.registry).versions() == []
    assert register(workplace.candidate("a", 0.9))["version"] == 1
    assert workplace.names("versions") == [".partial-run-0123", "000001"]
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(half.parent, (two_days_ago, two_days_ago))
    assert register(workplace.candidate("b", 0.95))["version"] == 2
    assert workplace.names("versions") == ["000001", "000002"]


def test_killed_between_version_and_champion_goes_on_when_repeated(workplace: Any, register: Any) -> None:
    folder = workplace.candidate("a", 0.9)
    register(folder)
    (workplace.registry / "aliases" / "champion" / "000001.json").unlink()
    decision = register(folder)
    assert (decision["version"], decision["champion"]) == (1, True)
    assert workplace.names("versions") == ["000001"]


def test_passed_the_gate_but_lost_the_race_is_a_version_and_not_champion(
    workplace: Any, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Registry.append_champion
    rival = workplace.candidate("rival", 0.95)

    def overtaken(registry: Registry, number: int, record: dict[str, Any]) -> bool:
        monkeypatch.setattr(Registry, "append_champion", append)
        register(rival)
        return append(registry, number, record)

    folder = workplace.candidate("a", 0.9)
    monkeypatch.setattr(Registry, "append_champion", overtaken)
    decision = register(folder)
    assert (decision["registered"], decision["version"], decision["champion"]) == (True, 1, False)
    assert "but it is worse" in decision["reasons"][0]
    assert [record["version"] for record in Registry(workplace.registry).champion_records().values()] == [2]
    assert register(folder) == decision


def test_folder_without_entry_is_no_version_and_keeps_its_number(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    torn = workplace.registry / "versions" / "000002"
    shutil.copytree(workplace.registry / "versions" / "000001", torn)
    (torn / "entry.json").unlink()
    assert register(workplace.candidate("b", 0.9))["version"] == 3
    assert Registry(workplace.registry).versions() == [1, 3]


def test_card_has_front_matter_numbers_beside_baselines_and_links_that_lead_somewhere(
    workplace: Any, register: Any
) -> None:
    register(workplace.candidate("a", 0.9))
    output = workplace.root / "registration-a"
    text = (output / "card.md").read_text()
    assert text == (workplace.registry / "versions" / "000001" / "card.md").read_text()
    _, front, body = text.split("---\n", 2)
    assert {"license", "tags", "metrics"} <= yaml.safe_load(front).keys()
    assert yaml.safe_load(front)["metrics"] == ["accuracy", "frechet_distance"]
    assert "| linear probe, test | BN+CReLU | 0.9 | 0.25 | 0.375 |" in body
    assert "| `fd_classifier`, 500 images against train4000 | 2.5 | 0.125 |" in body
    assert "| `image.size` | 8 |" in body
    assert "| `train.lr` | 0.25 |" in body
    assert "packages.torch" in body
    assert "data-1" in body
    links = [line.split("](")[1].rstrip(")") for line in body.splitlines() if line.startswith("![")]
    assert links
    assert all((output / link).is_file() for link in links)


def test_card_says_whether_memorisation_was_measured(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    assert "repeat training images was not measured" in (workplace.root / "registration-a" / "card.md").read_text()
    folder = workplace.candidate("b", 0.9)
    path = folder / "generation" / "metrics.json"
    key = "nearer_to_train_than_test_pixels_samples500_test500_train4000"
    write_json(path, json.loads(path.read_text()) | {key: 0.5})
    register(folder)
    text = (workplace.root / "registration-b" / "card.md").read_text()
    assert "repeat training images is told by `nearer_to_train_than_test_…` alone" in text


@pytest.mark.parametrize("key", PARAMETERS)
def test_card_names_parameters_that_exist(key: str) -> None:
    kinds: list[Any] = [Parameters]
    for name in key.split("."):
        # A union of sections has a key if one of them has it.
        hints = [get_type_hints(one)[name] for kind in kinds for one in get_args(kind) or [kind] if _has(one, name)]
        assert hints, f"no {name} in {kinds}"
        kinds = hints


def _has(section: Any, name: str) -> bool:
    return is_dataclass(section) and name in get_type_hints(section)


@pytest.mark.parametrize(
    ("networks", "tags", "said", "not_said"),
    [
        (
            ("generator", "discriminator"),
            {"gan", "unconditional-image-generation"},
            ["without an encoder", "| `model.encoder` | None |", "`representation` was skipped: the model has no enc"],
            ["For embeddings", "BigBiGAN", "| `model.discriminator` |"],
        ),
        (
            ("generator", "encoder"),
            {"image-feature-extraction"},
            ["An autoencoder", "| `model.discriminator` | None |", "BN+CReLU | 0.9"],
            ["samples like", "BigBiGAN", "| `model.encoder` |"],
        ),
        (
            ("generator", "encoder", "discriminator"),
            {"bigbigan", "gan", "image-feature-extraction", "unconditional-image-generation"},
            ["BigBiGAN", "For embeddings, samples and reconstructions", "BN+CReLU | 0.9"],
            ["| `model.encoder` |", "| `model.discriminator` |"],
        ),
    ],
    ids=["gan", "autoencoder", "all"],
)
def test_card_claims_only_what_the_networks_can_do(
    workplace: Any, register: Any, networks: tuple[str, ...], tags: set[str], said: list[str], not_said: list[str]
) -> None:
    workplace.gate({"fd_classifier_samples500_train4000": {"at_most": 3.0}})
    assert register(workplace.candidate("a", 0.9, networks))["champion"]
    text = (workplace.root / "registration-a" / "card.md").read_text()
    _, front, body = text.split("---\n", 2)
    assert set(yaml.safe_load(front)["tags"]) == tags
    assert ("accuracy" in yaml.safe_load(front)["metrics"]) == ("encoder" in networks)
    assert [part for part in said if part not in body] == []
    assert [part for part in not_said if part in body] == []


def test_accuracy_asked_of_a_model_without_encoder_is_refused_with_the_reason(workplace: Any, register: Any) -> None:
    decision = register(workplace.candidate("a", 0.9, ("generator", "discriminator")))
    assert not decision["registered"]
    assert "representation was skipped: the model has no encoder" in decision["reasons"][0]


def test_git_revision_of_a_clean_a_changed_and_no_repository(tmp_path: Path) -> None:
    assert git_revision(tmp_path) == {"revision": None, "dirty": None}
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    (tmp_path / "code.py").write_text("1")
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    clean = git_revision(tmp_path)
    assert len(clean["revision"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "code.py").write_text("2")
    assert git_revision(tmp_path) == {"revision": clean["revision"], "dirty": True}


def test_git_that_is_not_installed_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision() == {"revision": None, "dirty": None}


def test_the_champion_held_against_is_written_beside_the_decision(workplace: Any, register: Any) -> None:
    first = register(workplace.candidate("a", 0.8))
    assert first["previous"] is None
    assert not (workplace.root / "registration-a" / "previous.json").exists()
    second = register(workplace.candidate("b", 0.9, images=7))
    assert second["previous"] == 1
    previous = json.loads((workplace.root / "registration-b" / "previous.json").read_text())
    assert (previous["version"], previous["dataset_version"]) == (1, "data-1")
    assert previous["parameters"] == yaml.safe_load(workplace.params.read_text())
    assert previous["metrics"]["linear_top1_bn_crelu_test"] == {
        "value": 0.8,
        "protocol_differences": ["images: not stated for the champion, 7 here"],
    }
    assert previous["metrics"]["fd_classifier_samples500_train4000"] == {"value": 2.5, "protocol_differences": []}


def test_numbers_measured_again_stand_in_for_the_previous_ones(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    again = workplace.candidate("again", 0.85) / "representation"
    register(workplace.candidate("b", 0.9), "--champion-version", "1", "--champion-metrics", str(again))
    previous = json.loads((workplace.root / "registration-b" / "previous.json").read_text())
    assert previous["metrics"]["linear_top1_bn_crelu_test"]["value"] == 0.85


def test_decision_of_earlier_code_names_no_previous_version(workplace: Any, register: Any) -> None:
    register(workplace.candidate("a", 0.8))
    register(workplace.candidate("b", 0.9))
    record = workplace.registry / "aliases" / "champion" / "000002.json"
    content = json.loads(record.read_text())
    del content["decision"]["previous"]
    write_json(record, content)
    register(workplace.candidate("b", 0.9))
    assert not (workplace.root / "registration-b" / "previous.json").exists()
