"""The committed resolved.yaml and dvc.lock belong to the committed params.yaml, params/, dvc.yaml and code.

Red after an edit of any of them: run `dvc repro` and commit what it changed (`dvc commit` instead, where the edit
cannot have changed a result).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"DVC_NO_ANALYTICS": "1"}


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


def test_resolved_yaml_is_what_compose_makes() -> None:
    composed = run(sys.executable, "-m", "components.compose", "--choice", "params.yaml")
    assert composed == (ROOT / "resolved.yaml").read_text()


def test_dvc_lock_is_in_step_with_commands_parameters_and_code() -> None:
    status = json.loads(run(sys.executable, "-m", "dvc", "status", "--json"))
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"].keys() == stages.keys()
    outs = [out for stage in stages.values() for out in stage["outs"]]
    made_by_stages = {out if isinstance(out, str) else next(iter(out)) for out in outs}
    stale = [
        f"{stage}: {change if isinstance(change, str) else change['changed deps']}"
        for stage, changes in status.items()
        for change in changes
        if isinstance(change, str) or not _only_absent(change, made_by_stages)
    ]
    assert not stale


def _only_absent(change: dict[str, dict[str, object]], made_by_stages: set[str]) -> bool:
    """A fresh clone lacks what the stages make; that is no change."""
    dependencies = change.get("changed deps", {})
    return all(state == "deleted" and path in made_by_stages for path, state in dependencies.items())
