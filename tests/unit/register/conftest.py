"""A small model, dataset and metrics to register, and the step as a command."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from components.artifacts.files import sha256, write_json
from components.artifacts.metrics import Metrics, write_metrics

ROOT = Path(__file__).resolve().parents[3]
NETWORKS = ("generator", "encoder", "discriminator")
BETTER = {"linear_top1_bn_crelu_test": {"at_least": 0.5, "at_most": None, "better_than_champion": "higher"}}


class Workplace:
    """Makes inputs under `root` and runs `python -m components.register` on them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = root / "registry"
        self.output = root / "registration"
        self.gate(BETTER)
        self.dataset()

    def gate(self, gate: dict[str, Any]) -> None:
        self.params = self.root / "resolved.yaml"
        self.params.write_text(yaml.safe_dump({"register": {"name": "toy", "gate": gate}}))

    def dataset(self) -> None:
        folder = self.root / "dataset"
        files = {}
        for split, count in (("train", 4), ("validation", 2), ("test", 3)):
            (folder / split).mkdir(parents=True)
            path = folder / split / "images-00000.npy"
            np.save(path, np.zeros((count, 8, 8, 1), np.uint8))
            files[f"{split}/images-00000.npy"] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
        manifest = {
            "format": "bigbigan-dataset/1",
            "version": "data-1",
            "image": {"size": 8, "channels": 1},
            "classes": None,
            "files": files,
        }
        write_json(folder / "manifest.json", manifest)

    def candidate(self, name: str, accuracy: float, networks: Sequence[str] = NETWORKS, **protocol: Any) -> Path:
        """A model of this name with metrics, those of an encoder if it has one; returns the folder that holds both."""
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "model").mkdir(parents=True)
        for network in networks:
            (folder / "model" / f"{network}.safetensors").write_bytes(f"{network} of {name}".encode())
        provenance = {
            "dataset_version": "data-1",
            "seed": 5,
            "step": 100,
            "code_version": "abc",
            "packages": {"torch": "2.0"},
            "parameters": {"train": {"lr": 0.25}},
        }
        files = {path.name: sha256(path) for path in (folder / "model").iterdir()}
        config = {
            "image": {"size": 8},
            "model": {name: {"kind": "k"} if name in networks else None for name in NETWORKS},
        }
        description = {"format": "f", "config": config, "provenance": provenance, "files": files}
        write_json(folder / "model" / "model.json", description)
        (folder / "model" / "samples.png").write_bytes(b"another picture")
        values = {
            "linear_top1_bn_crelu_test": accuracy,
            "linear_top1_untrained_bn_crelu_test": 0.25,
            "linear_top1_pixels_test": 0.375,
        }
        if "encoder" in networks:
            write_metrics(folder / "representation", Metrics(values, {"split": "test"} | protocol))
            (folder / "representation" / "confusion_matrix.png").write_bytes(b"a picture")
        else:
            write_metrics(folder / "representation", Metrics({}, {"skipped": "the model has no encoder"}))
        distances = {"fd_classifier_samples500_train4000": 2.5, "fd_classifier_test500_train4000": 0.125}
        write_metrics(folder / "generation", Metrics(distances, {"resize": "none"}))
        return folder

    def command(self, folder: Path, *flags: str) -> list[str]:
        paths = {"model": folder / "model", "dataset": self.root / "dataset", "registry": self.registry}
        places = [word for flag, path in paths.items() for word in (f"--{flag}", str(path))]
        metrics = ["--metrics", str(folder / "representation"), str(folder / "generation")]
        output = ["--output", str(self.root / f"registration-{folder.name}")]
        given = ["--params", str(self.params), *places, *metrics, *output, *flags]
        return [sys.executable, "-m", "components.register", *given]

    def start(self, folder: Path, *flags: str) -> "subprocess.Popen[str]":
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = self.command(folder, *flags)
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *flags: str) -> dict[str, Any]:
        """Runs the step inside this process; returns registration.json."""
        from components.register.__main__ import main

        monkeypatch.setattr(sys, "argv", self.command(folder, *flags)[2:])
        main()
        decision = json.loads((self.root / f"registration-{folder.name}" / "registration.json").read_text())
        assert isinstance(decision, dict)
        return decision

    def names(self, *parts: str) -> list[str]:
        """What lies in a folder of the registry, partial files included."""
        folder = self.registry.joinpath(*parts)
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


Register = Callable[..., dict[str, Any]]


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def register(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Register:
    def call(folder: Path, *flags: str) -> dict[str, Any]:
        return workplace.run(monkeypatch, folder, *flags)

    return call
