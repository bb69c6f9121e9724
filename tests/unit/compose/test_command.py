"""compose as a command."""

import sys
from pathlib import Path

import pytest

from components.artifacts.command import run
from components.compose.__main__ import main
from components.compose.compose import compose, experiments, to_yaml

ROOT = Path(__file__).parents[3]
OPTIONS = ROOT / "params"


def call(monkeypatch: pytest.MonkeyPatch, *flags: str) -> int:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["compose", *flags])
    with pytest.raises(SystemExit) as end:
        run(main)
    return int(end.value.code or 0)


def test_list_shows_every_experiment_with_what_it_is(monkeypatch, capsys):
    assert call(monkeypatch, "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    names = sorted(path.stem for path in (OPTIONS / "experiment").glob("*.yaml"))
    assert [line.split()[0] for line in lines] == names
    assert all(line.split(maxsplit=1)[1] == experiments(OPTIONS)[line.split()[0]] for line in lines)


def test_overrides_come_on_top_of_the_choice_file(monkeypatch, capsys, tmp_path):
    (tmp_path / "choice.yaml").write_text("experiment: images\ntrain: {lr: 0.5, steps: 7}")
    flags = ("train.lr=0.25", "--choice", str(tmp_path / "choice.yaml"), "--output", str(tmp_path / "resolved.yaml"))
    assert call(monkeypatch, *flags) == 0
    expected = to_yaml(compose(OPTIONS, ["experiment=images", "train.lr=0.25", "train.steps=7"]))
    assert (tmp_path / "resolved.yaml").read_text() == expected
    assert capsys.readouterr().out == ""


def test_without_an_output_the_result_goes_to_the_screen(monkeypatch, capsys):
    assert call(monkeypatch, "experiment=digits") == 0
    assert capsys.readouterr().out == to_yaml(compose(OPTIONS, ["experiment=digits"]))


def test_a_refusal_is_one_line_and_leaves_the_old_file(monkeypatch, capsys, tmp_path):
    (tmp_path / "resolved.yaml").write_text("old")
    assert call(monkeypatch, "train.lrr=1", "--output", str(tmp_path / "resolved.yaml")) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: train.lrr is not a parameter; train has: ")
    assert len(said.splitlines()) == 1
    assert (tmp_path / "resolved.yaml").read_text() == "old"
