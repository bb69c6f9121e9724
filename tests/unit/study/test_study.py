"""Studies: read, compared seed by seed, told honestly, drawn."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from components.artifacts.errors import UserError
from components.study.comparison import Cell, compare
from components.study.curves import draw_curves
from components.study.experiments import experiments
from components.study.picture import draw
from components.study.study import Study, read_study
from components.study.table import to_markdown

ROOT = Path(__file__).parents[3]
STUDIES = sorted((ROOT / "params" / "study").glob("*.yaml"))
CONTENT = {
    "title": "Two rows",
    "seeds": [0, 1, 2],
    "overrides": ["train.steps=1"],
    "measures": {
        "probe": {"key": "top1", "title": "probe", "paper": "top-1, %", "higher_is_better": True},
        "distance": {"key": "fd_*", "title": "distance", "paper": "FID", "higher_is_better": False},
    },
    "curves": [{"log": "log.csv", "column": "loss", "title": "loss"}],
    "rows": [
        {"experiment": "base", "label": "Base", "paper": {}},
        {"experiment": "other_row", "label": "Other", "paper": {"probe": [48.0, 46.0]}},
        {"experiment": "not_run", "label": "Not run", "paper": {}},
    ],
}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(CONTENT, sort_keys=False))
    return read_study(tmp_path / "two.yaml")


def results(base: list[float], other: list[float]) -> dict[str, dict[str, float]]:
    found = {f"two-base-{seed}": {"top1": value, "fd_a": 2.0} for seed, value in enumerate(base)}
    return found | {f"two-other-row-{seed}": {"top1": value, "fd_b": 3.0} for seed, value in enumerate(other)}


# ------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_of_the_repository_names_experiments_that_exist(path: Path) -> None:
    study = read_study(path)
    known = {experiment.stem for experiment in (ROOT / "params" / "experiment").glob("*.yaml")}
    assert {row.experiment for row in study.rows} <= known
    assert len({row.experiment for row in study.rows}) == len(study.rows)


def test_an_unknown_study_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text("")
    with pytest.raises(UserError, match=r"there is no study other; .* has: known"):
        read_study(tmp_path / "other.yaml")


@pytest.mark.parametrize("paper", [{"probe": [1.0]}, {"loss": [1.0, 2.0]}])
def test_numbers_of_the_paper_that_fit_no_measure_are_refused(tmp_path: Path, paper: dict[str, list[float]]) -> None:
    rows = [CONTENT["rows"][0], {"experiment": "x", "label": "x", "paper": paper}]  # type: ignore[index]
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(CONTENT | {"rows": rows}))
    with pytest.raises(UserError, match="the paper's numbers of x"):
        read_study(tmp_path / "two.yaml")


def test_all_rows_of_a_seed_come_before_the_next_seed(study: Study) -> None:
    names = [experiment.name for experiment in experiments("two", study)]
    assert names[:4] == ["two-base-0", "two-other-row-0", "two-not-run-0", "two-base-1"]
    assert len(set(names)) == 9


# -------------------------------------------------------------------------------------------------- comparison


def test_rows_are_compared_seed_by_seed(study: Study) -> None:
    # The seeds differ by far more than the rows, and the pairs always by about 0.1.
    cells = compare("two", study, results([0.1, 0.5, 0.9], [0.0, 0.41, 0.79]))
    cell = cells["other_row"]["probe"]
    assert cell.mean == pytest.approx(0.4)
    assert cell.difference == pytest.approx(-0.1)
    # Student's t for three pairs is 4.303; their deviation is 0.01.
    assert cell.half_width == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-2)
    assert cell.verdict() == "holds"
    assert cells["base"]["probe"].difference is None
    assert cells["not_run"] == {}


def test_a_pattern_finds_the_metric_under_another_name(study: Study) -> None:
    cells = compare("two", study, results([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]))
    assert cells["other_row"]["distance"].difference == pytest.approx(1.0)
    assert cells["other_row"]["distance"].verdict() == "", "the paper says nothing of it"


@pytest.mark.parametrize(
    ("difference", "half_width", "verdict"),
    [
        (-0.1, 0.05, "holds"),
        (0.1, 0.05, "the other way round"),
        (-0.1, 0.2, "not told apart"),
        (-0.1, None, "one seed"),
        (None, None, ""),
    ],
)
def test_an_order_holds_only_where_the_interval_leaves_zero_out(
    difference: float | None, half_width: float | None, verdict: str
) -> None:
    assert Cell({0: 1.0, 1: 2.0}, difference, half_width, [48.0, 46.0]).verdict() == verdict


def test_seeds_that_only_one_row_has_do_not_count(study: Study) -> None:
    cells = compare("two", study, results([0.1, 0.2, 0.3], [0.2]))
    assert cells["other_row"]["probe"].difference == pytest.approx(0.1)
    assert cells["other_row"]["probe"].half_width is None
    assert cells["other_row"]["probe"].deviation is None


def test_without_the_first_row_nothing_is_compared(study: Study) -> None:
    with pytest.raises(UserError, match="no results of base"):
        compare("two", study, results([], [0.1]))


# -------------------------------------------------------------------------------------------- table and pictures


def test_the_table_has_a_line_a_row_and_says_what_was_not_measured(study: Study) -> None:
    text = to_markdown(study, compare("two", study, results([0.1, 0.5, 0.9], [0.0, 0.41, 0.79])))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3
    assert lines[2].startswith("| Base | 0.5 ± 0.4 |  | – |")
    assert lines[3].startswith("| Other | 0.4 ± 0.4 | -0.1 ± 0.025 | 48 → 46 | holds |")
    assert lines[4].startswith("| Not run | – | – | – |")
    assert "3 seeds" in text


def test_pictures_are_drawn_of_what_there_is(study: Study, tmp_path: Path) -> None:
    draw(study, compare("two", study, results([0.1, 0.5, 0.9], [0.0])), tmp_path / "study.png")
    steps = np.array([1.0, 2.0, 3.0])
    lines = {"loss": {"base": [(steps, steps), (steps[:2], steps[:2] * 2)]}}
    draw_curves(study, lines, tmp_path / "curves.png")
    for name in ("study.png", "curves.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 100
            assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 10
