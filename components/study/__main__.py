"""Runs a study of params/study/, and draws it.

Each row with each seed is an experiment of DVC: run once, kept with its parameters and metrics (`dvc exp show`), found
again by its name. So the same command goes on after an interruption, and draws what there is.

    python -m components.study ablation --output docs/studies
    python -m components.study ablation --output docs/studies --draw-only
"""

import argparse
from pathlib import Path

import numpy as np

from components.artifacts import command
from components.artifacts.files import write_bytes
from components.study.comparison import compare
from components.study.curves import Lines, draw_curves
from components.study.experiments import Result, experiments, results, run, training_log
from components.study.picture import draw
from components.study.study import Study, read_study
from components.study.table import to_markdown


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", metavar="NAME", help="of a file in params/study/")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where NAME.md and NAME.png go")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="experiments that run at the same time")
    parser.add_argument("--draw-only", action="store_true", help="draw what has been run, run nothing")
    parser.add_argument("--commit", default="HEAD", metavar="REV", help="the code whose experiments are drawn")
    flags = parser.parse_args()
    study = read_study(Path("params/study") / f"{flags.study}.yaml")
    if not flags.draw_only:
        run(flags.study, study, flags.jobs)
    found = results(flags.commit)
    cells = compare(flags.study, study, {name: result.metrics for name, result in found.items()})
    flags.output.mkdir(parents=True, exist_ok=True)
    text = to_markdown(study, cells)
    write_bytes(flags.output / f"{flags.study}.md", text.encode())
    draw(study, cells, flags.output / f"{flags.study}.png")
    if study.curves:
        draw_curves(study, _lines(flags.study, study, found), flags.output / f"{flags.study}_curves.png")
    print(text)


def _lines(name: str, study: Study, found: dict[str, Result]) -> dict[str, Lines]:
    lines: dict[str, dict[str, list[tuple[np.ndarray, np.ndarray]]]] = {curve.column: {} for curve in study.curves}
    for experiment in experiments(name, study):
        for curve in study.curves if experiment.name in found else ():
            rows = [row for row in training_log(found[experiment.name], curve.log) if curve.column in row]
            if rows:
                steps, values = (np.array([row[key] for row in rows]) for key in ("step", curve.column))
                lines[curve.column].setdefault(experiment.row.experiment, []).append((steps, values))
    return dict(lines)


if __name__ == "__main__":
    command.run(main)
