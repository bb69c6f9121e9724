"""The command: exit codes, and that it needs nothing installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.doctor import __main__ as doctor
from components.doctor import checks

ROOT = Path(__file__).resolve().parents[3]


def test_runs_on_the_standard_library_alone() -> None:
    """-S -I: no site-packages, so that torch, numpy and yaml cannot be imported."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom components.doctor.__main__ import main\nmain()"
    command = [sys.executable, "-S", "-I", "-c", program]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[:4]] == ["Python", "torch", "GPU", "CPU"]
    assert len(lines) == 11
    assert "not installed" in lines[1]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (checks.Item("disk", "fail", "full", "free some"), 1),
        (checks.Item("disk", "warn", "little", "free some"), 0),
        (checks.Item("Docker", "optional", "not found"), 0),
    ],
)
def test_only_a_failure_ends_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], item: checks.Item, code: int
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [checks.cpu(2), item])
    monkeypatch.setattr(sys, "argv", ["doctor"])
    monkeypatch.setattr("signal.signal", lambda signum, handler: None)
    with pytest.raises(SystemExit) as ended:
        doctor.run(doctor.main)
    assert ended.value.code == code
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [checks.cpu(2).line(), item.line()]
    assert ("mend this first: disk" in printed.err) == (code == 1)
