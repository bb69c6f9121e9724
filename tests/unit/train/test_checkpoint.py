from pathlib import Path

import pytest
import torch

from components.train.checkpoint import load_newest_checkpoint, save_checkpoint
from components.train.state import State
from tests.unit.train.toy import make_recipe, make_state


def mark(state: State, step: int) -> State:
    """Gives the state a step, and weights that tell which one."""
    state.step = step
    torch.nn.init.constant_(state.networks.generator.embedding, step)
    return state


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (2, 4, 6, 1000):
        save_checkpoint(tmp_path, mark(make_state(make_recipe()), step), kept=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-000000006.safetensors",
        "checkpoint-000001000.safetensors",
    ]


def test_without_a_checkpoint_the_state_stays_at_its_start(tmp_path: Path) -> None:
    state = make_state(make_recipe())
    load_newest_checkpoint(tmp_path / "nothing", state)
    assert state.step == 0


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_checkpoint(tmp_path / name, mark(make_state(make_recipe()), 3), kept=1)
    one, other = (tmp_path / name / "checkpoint-000000003.safetensors" for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None], ids=["empty", "noise", "truncated"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: bytes | None
) -> None:
    for step in (2, 4):
        save_checkpoint(tmp_path, mark(make_state(make_recipe()), step), kept=2)
    newest = tmp_path / "checkpoint-000000004.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100] if damage is None else damage)
    state = make_state(make_recipe())
    load_newest_checkpoint(tmp_path, state)
    assert state.step == 2
    assert state.networks.generator.embedding.unique().tolist() == [2.0]
    assert "checkpoint-000000004.safetensors cannot be read" in capsys.readouterr().err


def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, mark(make_state(make_recipe()), 2), kept=1)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, mark(make_state(make_recipe()), 4), kept=1)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000000002.safetensors"]
