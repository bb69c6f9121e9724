"""The step in one process, and views whose features are in memory."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from components.artifacts.dataset import Dataset
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateRepresentation
from components.artifacts.ranks import Ranks
from components.evaluate_representation import evaluate as step
from components.evaluate_representation.rows import rows_of
from components.evaluate_representation.views import View

CPU = torch.device("cpu")
ALONE = Ranks(0, 1, CPU)


def evaluate(
    model: Model,
    dataset: Dataset,
    parameters: EvaluateRepresentation,
    output: Path,
    files: Mapping[str, Path] | None = None,
    cache: Path | None = None,
) -> list[str]:
    return step.evaluate(model, dataset, parameters, files or {}, cache or output.parent / "cache", output, ALONE)


def view_of(train: Tensor, validation: Tensor, test: Tensor) -> View:
    return View(rows_of(train), rows_of(validation), rows_of(test))
