"""A real trainer, killed for real: the same command goes on and ends with the same bits."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STEPS = 40


@pytest.fixture(scope="module")
def prepared(make_clone: Callable[[], Any]) -> Any:
    clone = make_clone()
    clone.run("dvc repro digits && dvc repro prepare")
    clone.run(
        f"python -m components.compose debug=tiny train.steps={STEPS} monitoring.checkpoint_interval=5 "
        "monitoring.sample_interval=10 --output resolved.yaml"
    )
    clone.run(f"{command('whole')}")
    return clone


def command(name: str) -> str:
    return (
        f"python -m components.train --params resolved.yaml --dataset data/dataset --runs runs-{name} "
        f"--output model-{name}"
    )


def start(clone: Any, name: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, *command(name).split()[1:]]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(arguments, cwd=clone.path, env=environment, text=True, stderr=subprocess.PIPE)


def wait_for_checkpoint(clone: Any, name: str, trainer: subprocess.Popen[str], after_step: int = 0) -> None:
    deadline = time.monotonic() + 300
    while newest_step(clone, name) <= after_step:
        assert trainer.poll() is None, trainer.stderr.read() if trainer.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)


def newest_step(clone: Any, name: str) -> int:
    """0 without a checkpoint."""
    files = clone.path.glob(f"runs-{name}/*/checkpoint-*.safetensors")
    return max((int(path.stem.removeprefix("checkpoint-")) for path in files), default=0)


def weights(clone: Any, name: str) -> dict[str, str]:
    files: dict[str, str] = json.loads((clone.path / f"model-{name}/model.json").read_text())["files"]
    return files


@pytest.mark.parametrize(
    ("signal_number", "exit_code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
    ids=["kill -9", "SIGTERM", "Ctrl-C"],
)
def test_a_killed_trainer_goes_on_and_ends_with_the_same_bits(
    prepared: Any, signal_number: signal.Signals, exit_code: int
) -> None:
    name = signal_number.name
    trainer = start(prepared, name)
    wait_for_checkpoint(prepared, name, trainer)
    trainer.send_signal(signal_number)
    assert trainer.wait(timeout=60) == exit_code
    assert not (prepared.path / f"model-{name}").exists()
    output = prepared.run(command(name))
    assert "going on from step" in output
    assert weights(prepared, name) == weights(prepared, "whole")
    logs = [next(prepared.path.glob(f"model-{run}/log.csv")).read_bytes() for run in (name, "whole")]
    assert logs[0] == logs[1]


def test_killed_again_and_again_at_random_points_it_ends_with_the_same_bits(prepared: Any) -> None:
    """Each time after one more checkpoint and a random while: in a step, in a write, in a sheet."""
    moments = random.Random(0)
    for kill in range(3):
        trainer = start(prepared, "again")
        wait_for_checkpoint(prepared, "again", trainer, after_step=5 * kill)
        time.sleep(moments.uniform(0, 0.3))
        trainer.kill()
        trainer.wait()
    assert "going on from step" in prepared.run(command("again"))
    assert weights(prepared, "again") == weights(prepared, "whole")
    assert not list(prepared.path.glob("runs-again/*/.partial-*"))
    logs = [(prepared.path / f"model-{run}/log.csv").read_bytes() for run in ("again", "whole")]
    assert logs[0] == logs[1]


def test_a_second_trainer_waits_for_the_first_and_trains_nothing_twice(prepared: Any) -> None:
    first = start(prepared, "shared")
    wait_for_checkpoint(prepared, "shared", first)
    second = prepared.run(command("shared"))
    assert f"another trainer (process {first.pid})" in second
    assert first.wait(timeout=60) == 0
    assert weights(prepared, "shared") == weights(prepared, "whole")


def test_killing_dvc_leaves_a_run_that_the_same_command_finishes(make_clone: Callable[[], Any]) -> None:
    clone = make_clone()
    with (clone.path / "params.yaml").open("a") as file:
        file.write(f"train:\n  steps: {STEPS}\nmonitoring:\n  checkpoint_interval: 5\n")
    dvc = subprocess.Popen(
        [str(Path(sys.executable).parent / "dvc"), "repro", "train"],
        cwd=clone.path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not list(clone.path.glob("runs/*/checkpoint-*.safetensors")):
        assert dvc.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    dvc.kill()
    dvc.wait()
    clone.run("dvc repro train")
    step = json.loads((clone.path / "model/model.json").read_text())["provenance"]["step"]
    assert step == STEPS
