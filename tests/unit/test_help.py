"""What each step says of itself is kept in tests/unit/help/: a new flag, or another word, is a decision."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "help"
STEPS = (
    "compose", "compose.choose", "prepare", "prepare.digits", "train", "train describe",
    "feature_network", "feature_network.convert_inception",
    "evaluate_representation", "evaluate_generation", "register", "report", "report block", "doctor",
)  # fmt: skip


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse lays help out anew in each Python")
@pytest.mark.parametrize("step", STEPS)
def test_the_help_is_the_kept_one(step: str) -> None:
    """To keep a new one: COLUMNS=100 python -m components.STEP --help > 'tests/unit/help/STEP.txt'"""
    command = [sys.executable, "-m", *f"components.{step}".split(), "--help"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"COLUMNS": "100"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == (KEPT / f"{step}.txt").read_text()
    assert len(done.stdout.splitlines()) > 5, "a step explains itself"
