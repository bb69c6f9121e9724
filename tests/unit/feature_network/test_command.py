"""The step as a command: which network it takes, and what it says of it."""

import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from torch import nn

from components.artifacts.files import read_json
from components.artifacts.parameters import FeatureNetwork
from components.feature_network import effnet_lite0, inception
from components.feature_network.__main__ import main

PARAMETERS = FeatureNetwork(
    kind="effnet_lite0",
    inception_weights=None,
    inception_sha256=None,
    seed=0,
    channels=4,
    feature_size=5,
    steps=1,
    batch_size=2,
    lr=0.1,
    shift=0,
)


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: str) -> Path:
    content = {"feature_network": asdict(PARAMETERS) | changes}
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(content))
    flags = ["--params", str(tmp_path / "resolved.yaml"), "--dataset", "absent", "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["feature_network", *flags])
    main()
    return tmp_path / "out" / "network.json"


def test_effnet_lite0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(effnet_lite0, "effnet_lite0_from_package", lambda: nn.Linear(1, 1))
    description = read_json(run(tmp_path, monkeypatch))
    assert [description[key] for key in ("kind", "name", "target")] == ["effnet_lite0", "effnet_lite0", "imagenet"]
    assert [description[key] for key in ("feature_size", "outputs", "image")] == [1280, 1000, None]
    assert "EfficientNet-Lite0, 1280 features" in capsys.readouterr().out


def test_inception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given: list[tuple[Path, str]] = []
    monkeypatch.setattr(inception, "inception_from_file", lambda *place: given.append(place) or nn.Linear(1, 1))
    changes = {"kind": "inception", "inception_weights": "weights.safetensors", "inception_sha256": "ab" * 32}
    description = read_json(run(tmp_path, monkeypatch, **changes))
    assert given == [(Path("weights.safetensors"), "ab" * 32)]
    assert [description[key] for key in ("kind", "name", "target")] == ["inception", "inception", "imagenet"]
    assert [description[key] for key in ("feature_size", "outputs", "image")] == [2048, 1008, None]
    assert "TensorFlow's Inception, 2048 features" in capsys.readouterr().out
