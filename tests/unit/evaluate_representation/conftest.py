import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import FORMAT, SPLITS, Dataset, open_dataset
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateRepresentation
from components.bigbigan.build import build_networks
from tests.unit.toy_model import CONFIG

MakeDataset = Callable[..., Dataset]


@pytest.fixture
def config() -> dict[str, Any]:
    return CONFIG


@pytest.fixture
def model() -> Model:
    networks = build_networks(CONFIG, seed=5).eval().requires_grad_(False)
    return Model(networks, CONFIG, {"dataset_version": "abc"})


@pytest.fixture
def parameters() -> EvaluateRepresentation:
    return EvaluateRepresentation(
        seed=0,
        l2_penalties=[0.001, 0.1],
        neighbours=[1, 5],
        labels_per_class=[3],
        labels_percent=[10],
        low_label_draws=2,
        batch_size=16,
    )


@pytest.fixture
def make_dataset(tmp_path: Path) -> MakeDataset:
    """Images whose class is a bright column, easy to tell apart; `labels` replaces the labels of some splits."""

    def make(
        classes: list[str] | None = None,
        counts: tuple[int, int, int] = (60, 30, 30),
        labels: dict[str, np.ndarray] | None = None,
        size: int = 8,
        unlabelled: bool = False,
    ) -> Dataset:
        directory = tmp_path / "dataset"
        names = classes or ["one", "two", "three"]
        generator = np.random.default_rng(0)
        files = {}
        for split, count in zip(SPLITS, counts, strict=True):
            own = (labels or {}).get(split, np.arange(count) % len(names))
            images = generator.integers(0, 60, (count, size, size, 1), dtype=np.uint8)
            images[np.arange(count), :, own % size] = 255
            arrays = {"images-00000": images} | ({} if unlabelled else {"labels": own.astype(np.int64)})
            for name, array in arrays.items():
                path = directory / split / f"{name}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, array)
                files[f"{split}/{name}.npy"] = {"bytes": path.stat().st_size}
        manifest = {
            "format": FORMAT,
            "version": "abc",
            "image": {"size": size, "channels": 1},
            "classes": None if unlabelled else names,
            "files": files,
        }
        (directory / "manifest.json").write_text(json.dumps(manifest))
        return open_dataset(directory)

    return make
