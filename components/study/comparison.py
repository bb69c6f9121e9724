"""What a study's numbers say: each row against the first, seed by seed, and beside what the literature says of it."""

import fnmatch
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.artifacts.errors import UserError
from components.study.experiments import experiments
from components.study.study import Measure, Study

# Student's t, two-sided, 95 %, by degrees of freedom; 2.26 beyond the last is on the safe side.
_T95 = (math.nan, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclass(frozen=True)
class Cell:
    """One measure of one row.

    values: by seed. difference: the mean over seeds of (this row - the first row), None for the first row.
    half_width: of the 95 % confidence interval of that mean; None with fewer than two seeds.
    paper: the literature's [without, with], if it has them.
    """

    values: dict[int, float]
    difference: float | None
    half_width: float | None
    paper: Sequence[float] | None

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values.values())

    @property
    def deviation(self) -> float | None:
        """The standard deviation over seeds."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    def verdict(self) -> str:
        """Whether the literature's order of the two holds here; empty where it says nothing, or there is no pair."""
        if self.paper is None or self.difference is None:
            return ""
        if self.half_width is None:
            return "one seed"
        if abs(self.difference) <= self.half_width:
            return "not told apart"
        same_sign = (self.difference > 0) == (self.paper[1] > self.paper[0])
        return "holds" if same_sign else "the other way round"


def compare(name: str, study: Study, results: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, Cell]]:
    """Cells by row (its experiment's name) and measure; a row without a metric, or without results, lacks the cell.

    Raises:
        UserError: the first row has no results: nothing can be compared.
    """
    by_row: dict[str, dict[str, dict[int, float]]] = {row.experiment: {} for row in study.rows}
    for experiment in experiments(name, study):
        for measure_name, measure in study.measures.items():
            value = _value(results.get(experiment.name, {}), measure)
            if value is not None:
                by_row[experiment.row.experiment].setdefault(measure_name, {})[experiment.seed] = value
    first = by_row[study.rows[0].experiment]
    if not first:
        raise UserError(
            f"no results of {study.rows[0].experiment} for this commit: run `python -m components.study {name}` first"
        )
    papers = {row.experiment: row.paper for row in study.rows}
    return {
        row: {
            measure: _cell(
                values, None if row == study.rows[0].experiment else first.get(measure), papers[row].get(measure)
            )
            for measure, values in measures.items()
        }
        for row, measures in by_row.items()
    }


def seeds_drawn(cells: Mapping[str, Mapping[str, Cell]]) -> str:
    """How many seeds there are numbers of: "3", or "1 to 3" where rows differ."""
    counts = sorted({len(cell.values) for row in cells.values() for cell in row.values()})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _value(metrics: Mapping[str, float], measure: Measure) -> float | None:
    keys = fnmatch.filter(metrics, measure.key)
    return metrics[keys[0]] if keys else None


def _cell(values: dict[int, float], first: Mapping[int, float] | None, paper: Sequence[float] | None) -> Cell:
    differences = [values[seed] - first[seed] for seed in values if seed in first] if first else []
    half_width = None
    if len(differences) >= 2:
        t95 = _T95[min(len(differences), len(_T95)) - 1]
        half_width = t95 * statistics.stdev(differences) / math.sqrt(len(differences))
    return Cell(values, statistics.fmean(differences) if differences else None, half_width, paper)
