"""The experiments of a study, run and read by DVC: each is a run of the workflow, kept as a git commit of its own."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dvc.api
from dvc.exceptions import DvcException

from components.artifacts.errors import UserError
from components.study.study import Row, Study

# All that dvc.yaml lists under `metrics` and `plots` comes from these; DVC fails to keep a run that lacks one of them.
# `register` is left out: a study is no candidate for the registry.
_STAGES = ("evaluate_representation", "evaluate_generation")


@dataclass(frozen=True)
class Experiment:
    """One row with one seed. Its name is DVC's."""

    study: str
    row: Row
    seed: int

    @property
    def name(self) -> str:
        return f"{self.study}-{self.row.experiment.replace('_', '-')}-{self.seed}"


@dataclass(frozen=True)
class Result:
    """What an experiment left: its commit, and its metrics."""

    revision: str
    metrics: dict[str, float]


def experiments(name: str, study: Study) -> Iterator[Experiment]:
    """Every row with every seed, all rows of a seed before the next: so that an unfinished study is a smaller one."""
    for seed in study.seeds:
        for row in study.rows:
            yield Experiment(name, row, seed)


def run(name: str, study: Study, jobs: int) -> None:
    """Queues what has not been run yet, and runs it, `jobs` at a time. Returns when all have ended.

    Raises:
        UserError: DVC refused, or an experiment failed; those that succeeded are kept, and the same command goes on.
    """
    done = set(results())
    waiting = [experiment for experiment in experiments(name, study) if experiment.name not in done]
    queued = _queued()
    for experiment in (experiment for experiment in waiting if experiment.name not in queued):
        changes = [f"experiment={experiment.row.experiment}", f"+train.seed={experiment.seed}"]
        changes += [f"+{override}" for override in study.overrides]
        options = [option for change in changes for option in ("--set-param", change)]
        _dvc("exp", "run", "--queue", "--force", "--name", experiment.name, *options, *_STAGES)
    print(f"{len(waiting)} of {len(study.rows) * len(study.seeds)} experiments to run", flush=True)
    if waiting:
        _dvc("exp", "run", "--run-all", "--jobs", str(jobs))
    failed = [experiment.name for experiment in waiting if experiment.name not in results()]
    if failed:
        raise UserError(f"{len(failed)} experiments failed, {failed[0]} first: see `dvc queue logs {failed[0]}`")


def results(commit: str = "HEAD") -> dict[str, Result]:
    """What each experiment left that DVC keeps for a commit, by the experiment's name."""
    shown = json.loads(_dvc("exp", "show", "--json", "--no-pager", "--rev", commit, read=True))
    found = {}
    for baseline in shown:
        for experiment in baseline.get("experiments") or []:
            for revision in experiment.get("revs", []):
                values = _metrics(revision)
                if experiment.get("name") and values:
                    found[experiment["name"]] = Result(revision["rev"], values)
    return found


def training_log(result: Result, log: str) -> list[dict[str, float]]:
    """The rows of a training log in `model/`; none if the experiment has no such log."""
    try:
        text = dvc.api.read(f"model/{log}", rev=result.revision)
    except (DvcException, FileNotFoundError):
        return []
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(text.splitlines())]


def _queued() -> set[str]:
    """The names of what an interrupted study has left in DVC's queue."""
    lines = [line.split() for line in _dvc("queue", "status", read=True).splitlines()]
    return {columns[1] for columns in lines if len(columns) > 2 and columns[-1] in ("Queued", "Running")}


def _metrics(revision: dict[str, Any]) -> dict[str, float]:
    data = revision.get("data") or {}
    files = (data.get("metrics") or {}).values()
    return {key: value for file in files for key, value in (file.get("data") or {}).items()}


def _dvc(*arguments: str, read: bool = False) -> str:
    """Runs DVC; what it says goes to the terminal unless it is read. Raises: UserError, if it fails."""
    command = [str(Path(sys.executable).parent / "dvc"), *arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE if read else None, text=True, check=False)
    if result.returncode:
        raise UserError(f"`dvc {' '.join(arguments[:3])} ...` failed: its message stands above")
    return result.stdout or ""
