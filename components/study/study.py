"""What a study is: the content of a file of params/study/."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from components.artifacts.errors import UserError
from components.artifacts.parameters import build


@dataclass
class Measure:
    """One metric that the rows are compared by.

    key: of the metric; a pattern with * where its name differs between rows. title: of its column and its panel.
    paper: what the literature's numbers of it are.
    """

    key: str
    title: str
    paper: str
    higher_is_better: bool


@dataclass
class Curve:
    """A column of one of the training logs in `model/`, drawn over the steps."""

    log: str
    column: str
    title: str


@dataclass
class Row:
    """One experiment of params/experiment/.

    paper: by measure, the literature's numbers [without, with] what this row changes; empty where it has none.
    """

    experiment: str
    label: str
    paper: dict[str, list[float]]


@dataclass
class Study:
    """The first row is the one that the others are compared with.

    overrides: of every row, besides the seed.
    """

    title: str
    seeds: list[int]
    overrides: list[str]
    measures: dict[str, Measure]
    curves: list[Curve]
    rows: list[Row]


def read_study(path: Path) -> Study:
    """Reads a file of params/study/. Raises: UserError, if it is absent or not of this form."""
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml")))
        raise UserError(f"there is no study {path.stem}; {path.parent} has: {known}")
    study: Study = build(Study, yaml.safe_load(path.read_bytes()), path.stem)
    for row in study.rows:
        for measure, numbers in row.paper.items():
            if measure not in study.measures or len(numbers) != 2:
                wanted = f"[without, with] under one of {', '.join(study.measures)}"
                raise UserError(
                    f"{path}: the paper's numbers of {row.experiment}: {measure} is {numbers}, not {wanted}"
                )
    return study
