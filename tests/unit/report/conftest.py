"""A run on disk, small and whole, and its page taken apart."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from components.artifacts.files import write_json
from components.artifacts.metrics import Metrics, write_metrics
from components.report.__main__ import main

REPRESENTATION = {
    "linear_top1_bn_crelu_test": 0.9561,
    "linear_top1_avepool_test": 0.95,
    "linear_top1_untrained_bn_crelu_test": 0.68,
    "linear_top1_pixels_test": 0.9084,
    "linear_top1_bn_crelu_10_per_class_test_mean": 0.8,
    "linear_top1_bn_crelu_10_per_class_test_std": 0.0125,
    "knn5_top1_avepool_test": 0.9,
}
GENERATION = {
    "fd_classifier_samples500_train4000": 0.954,
    "fd_classifier_test500_train4000": 0.121,
    "standard_error_fd_classifier_samples500_train4000": 0.011,
    "fd_classifier_samples5000_train4000": 0.9,
    "reconstruction_relative_l1_test500": 0.5,
    "something_new_of_samples": 12.5,
}
CONDITION = {
    "metric": "linear_top1_bn_crelu_test",
    "condition": "at_least",
    "value": 0.9561,
    "bound": 0.9,
    "champion": None,
    "holds": True,
    "text": "linear_top1_bn_crelu_test is 0.9561; asked for is at least 0.9",
}
DECISION = {
    "name": "toy",
    "run_id": "0123",
    "time": "2026-01-02T03:04:05+00:00",
    "registered": True,
    "version": 4,
    "champion": True,
    "conditions": [CONDITION],
    "reasons": [CONDITION["text"]],
    "git": {"revision": "f00d", "dirty": True},
}
PREVIOUS = {
    "version": 3,
    "dataset_version": "data-1",
    "metrics": {
        "linear_top1_bn_crelu_test": {"value": 0.9, "protocol_differences": []},
        "fd_classifier_samples500_train4000": {"value": 0.9, "protocol_differences": []},
        "knn5_top1_avepool_test": {"value": 0.7, "protocol_differences": ["seed: 1 for the champion, 0 here"]},
        "gone_test5": {"value": 1.0, "protocol_differences": []},
    },
    "parameters": {"train": {"lr": 0.25, "steps": 100, "momentum": 0.5}, "image": {"size": 8}},
}
MANIFEST = {
    "format": "bigbigan-dataset/1",
    "version": "data-1-and-more-digits",
    "image": {"size": 8, "channels": 1},
    "classes": ["cat", "dog"],
    "splits": {
        "train": {"images": 40, "images_per_class": [30, 10]},
        "validation": {"images": 4, "images_per_class": [2, 2]},
        "test": {"images": 6, "images_per_class": [3, 3]},
    },
    "source": {
        "kind": "folder", "name": "pets", "sha256": "abc", "labels_from": "folders", "splits_from": "drawn by a seed",
    },
    "rejected": {"images": 2, "of_images": 52, "reasons": {"truncated": 2}, "other_files": 3},
    "enlarged": 0,
    "decoder": "Pillow 1",
    "pixels": {"mean": [33.25], "standard_deviation": [78.5]},
    "source_sizes": {
        "short_side": {"edges": [8, 16, 32], "images": [10, 42]}, "minimum": 9, "median": 20.0, "maximum": 31,
    },
    "duplicates": {
        "within_splits": {"train": 5, "validation": 0, "test": 0}, "across_splits": 0, "dropped": 0, "examples": [],
    },
}  # fmt: skip
DESCRIPTION = {
    "format": "bigbigan-model/2",
    "config": {},
    "files": {"generator.safetensors": "cafe"},
    "provenance": {"code_version": "c0de", "dataset_version": "data-1", "seed": 5, "step": 1200, "parameters": {}},
}
RESOLVED = {"train": {"lr": 0.5, "steps": 100}, "image": {"size": 8}, "register": {"gate": {}}}
LOG = (
    "step,discriminator/loss_image,discriminator/loss_joint,generator_encoder/gradient_norm\n20,1.5,2,7\n40,1.25,1,3\n"
)
SIGNS = [{"step": 20, "sign": "D loses a little"}, {"step": 40, "sign": "D loses <much>"}]


def png(colour: str = "white") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (12, 9), colour).save(target, "PNG")
    return target.getvalue()


@dataclass
class Run:
    """What `write` puts on disk; a test changes it before. A file whose content is None is not written."""

    root: Path
    decision: Any = field(default_factory=lambda: dict(DECISION))
    previous: Any = field(default_factory=lambda: dict(PREVIOUS))
    representation: Metrics = field(default_factory=lambda: Metrics(dict(REPRESENTATION), {"seed": 0, "views": {}}))
    generation: Metrics = field(default_factory=lambda: Metrics(dict(GENERATION), {"counts": {"samples": 5000}}))
    manifest: Any = field(default_factory=lambda: dict(MANIFEST))
    description: Any = field(default_factory=lambda: dict(DESCRIPTION))
    signs: Any = field(default_factory=lambda: list(SIGNS))
    log: str | None = LOG
    resolved: Any = field(default_factory=lambda: dict(RESOLVED))
    choice: Any = field(default_factory=lambda: {"experiment": "toys", "train": {"lr": 0.5}})
    pictures: dict[str, bytes] = field(
        default_factory=lambda: {
            "representation/confusion.png": png(),
            "generation/unheard_of.png": png("red"),
            "generation/samples.png": png("blue"),
            "dataset/contact_sheet.png": png("green"),
            "model/curves.png": png("black"),
        }
    )

    def write(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        files = {
            "registration/registration.json": self.decision,
            "registration/previous.json": self.previous,
            "dataset/manifest.json": self.manifest,
            "model/model.json": self.description,
            "model/signs.json": self.signs,
        }
        for name, content in files.items():
            if content is not None:
                write_json(self.root / name, content)
        write_metrics(self.root / "representation", self.representation)
        write_metrics(self.root / "generation", self.generation)
        if self.log is not None:
            (self.root / "model" / "log.csv").write_text(self.log)
        (self.root / "resolved.yaml").write_text(yaml.safe_dump(self.resolved))
        if self.choice is not None:
            (self.root / "params.yaml").write_text(yaml.safe_dump(self.choice))
        for name, content in self.pictures.items():
            (self.root / name).write_bytes(content)

    @property
    def values(self) -> dict[str, float]:
        return self.representation.values | self.generation.values

    def flags(self) -> list[str]:
        places = {name: name for name in ("registration", "dataset", "model")} | {"params": "resolved.yaml"}
        if self.choice is not None:
            places["choice"] = "params.yaml"
        flags = [word for name, place in places.items() for word in (f"--{name}", str(self.root / place))]
        metrics = [str(self.root / name) for name in ("representation", "generation")]
        return [*flags, "--metrics", *metrics, "--output", str(self.root / "report")]


class Page(HTMLParser):
    """`elements`: (tag, attributes) in order. `headings`: their levels. `numbers`: (key, value, text) of <data>.

    `text`: all that a person can read, with single spaces.
    """

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.content = content
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.numbers: list[tuple[str, str, str]] = []
        self._words: list[str] = []
        self._inside = ""
        self.feed(content)
        self.close()
        self.text = " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        self._words.append(" ")
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        if tag == "data":
            attributes = dict(attrs)
            self.numbers.append((attributes["title"] or "", attributes["value"] or "", ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        self._words.append(" ")

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            return
        self._words.append(data)
        if self._inside == "data":
            key, value, _ = self.numbers[-1]
            self.numbers[-1] = (key, value, data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


def make_page(run: Run) -> Page:
    """Writes the run, makes its page by the command, and takes it apart."""
    run.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["report", *run.flags()])
        main()
    return Page((run.root / "report" / "index.html").read_text(encoding="utf-8"))


@pytest.fixture
def show() -> Callable[[Run], Page]:
    return make_page


@pytest.fixture(scope="session")
def usual_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page of a run says that lacks nothing."""
    return make_page(Run(tmp_path_factory.mktemp("usual") / "run")).text
