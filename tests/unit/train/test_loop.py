import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from components.artifacts.parameters import Monitoring
from components.train.state import State
from tests.unit.train.toy import METHODS, MONITORING, make_recipe, make_state, run, same

GOLDEN = Path(__file__).parent / "golden_losses.csv"


def train(directory: Path, method: str = "BigBiGAN", changes: dict[str, Any] | None = None, **how: Any) -> State:
    return run(directory, make_recipe(method, changes), **how)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_losses_are_the_golden_ones(tmp_path: Path) -> None:
    """A change of the method changes them on purpose: then the new log takes the place of the file."""
    train(tmp_path, changes={"train.steps": 20})
    found, expected = rows(tmp_path / "log.csv"), rows(GOLDEN)
    assert len(found) == len(expected) == 20
    for row, known in zip(found, expected, strict=True):
        assert row.keys() == known.keys()
        # Other processors sum in another order; the chaos of an adversarial game makes that visible after a while.
        tolerance = 1e-4 * 1.5 ** int(row["step"])
        for name in row:
            assert float(row[name]) == pytest.approx(float(known[name]), rel=tolerance, abs=tolerance), (
                row["step"],
                name,
            )


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path: Path) -> None:
    assert same(train(tmp_path / "a"), train(tmp_path / "b"))
    assert not same(train(tmp_path / "a"), train(tmp_path / "c", changes={"train.seed": 4}))


@pytest.mark.parametrize("stop_after", [1, 2, 3, 5])
def test_a_run_that_was_stopped_ends_with_the_same_bits(tmp_path: Path, stop_after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_after=stop_after)
    assert same(train(tmp_path / "stopped"), train(tmp_path / "whole"))
    assert (tmp_path / "stopped" / "log.csv").read_bytes() == (tmp_path / "whole" / "log.csv").read_bytes()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "BigBiGAN"])
def test_every_method_trains_and_resumes_with_the_same_bits(tmp_path: Path, method: str) -> None:
    short = {"train.steps": 3}
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", method, short, stop_after=1)
    whole = train(tmp_path / "whole", method, short)
    assert same(train(tmp_path / "stopped", method, short), whole)
    start = make_state(make_recipe(method, short)).networks.state_dict()
    # No weight stays where it starts: each learns from something. (The bias of a score may: see `_leave_the_start`.)
    for name, value in whole.networks.named_parameters():
        assert name.endswith("_score.bias") or not torch.equal(value, start[name]), name


def test_intervals_change_no_weight(tmp_path: Path) -> None:
    rare = Monitoring(log_interval=100, sample_interval=100, checkpoint_interval=100, checkpoints_kept=1)
    assert same(train(tmp_path / "often"), train(tmp_path / "seldom", monitoring=rare))


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = train(tmp_path)
    log = (tmp_path / "log.csv").read_bytes()
    assert same(train(tmp_path), first)
    assert (tmp_path / "log.csv").read_bytes() == log


def test_parts_of_a_batch_resume_with_the_same_bits(tmp_path: Path) -> None:
    parts = {"train.accumulation_steps": 2}
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", changes=parts, stop_after=3)
    whole = train(tmp_path / "whole", changes=parts)
    assert same(train(tmp_path / "stopped", changes=parts), whole)
    assert not same(whole, train(tmp_path / "at once"))


def test_recomputed_activations_change_no_bit(tmp_path: Path) -> None:
    recomputed = {"train.recompute_activations": True}
    networks = make_state(make_recipe(changes=recomputed)).networks
    blocks = [module for module in networks.modules() if hasattr(module, "recompute")]
    assert len(blocks) >= 5
    assert all(block.recompute for block in blocks)
    assert same(train(tmp_path / "kept"), train(tmp_path / "recomputed", changes=recomputed))


def test_recomputed_activations_change_no_bit_of_bf16(tmp_path: Path) -> None:
    changes = {"train.precision": "bf16", "train.steps": 2}
    kept = train(tmp_path / "kept", changes=changes)
    assert same(kept, train(tmp_path / "recomputed", changes=changes | {"train.recompute_activations": True}))


def test_the_averaged_weights_lag_behind(tmp_path: Path) -> None:
    state = train(tmp_path / "average", changes={"train.ema_decay": 0.0})
    for name, averaged in state.averaged.items():
        for parameter, weight in zip(averaged.parameters(), getattr(state.networks, name).parameters(), strict=True):
            assert torch.equal(parameter, weight)
    lagging = train(tmp_path / "lag", changes={"train.ema_decay": 0.99})
    assert not torch.equal(lagging.averaged["generator"].embedding, lagging.networks.generator.embedding)


def test_the_average_is_that_of_the_weights_after_each_step(tmp_path: Path) -> None:
    two = {"train.steps": 2, "train.warmup_steps": 0, "train.decay_fraction": 0.0, "train.ema_decay": 0.9}
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", changes=two, stop_after=1)
    start = make_state(make_recipe()).networks.generator.embedding
    # A run of one step has the first step's weights; its decay is min(0.9, (1 + 0) / (10 + 0)).
    first = train(tmp_path / "one", changes=two | {"train.steps": 1})
    torch.testing.assert_close(
        first.averaged["generator"].embedding, 0.1 * start.detach() + 0.9 * first.networks.generator.embedding.detach()
    )
    second = train(tmp_path / "run", changes=two)
    expected = torch.lerp(first.averaged["generator"].embedding, second.networks.generator.embedding.detach(), 9 / 11)
    torch.testing.assert_close(second.averaged["generator"].embedding, expected)


def test_the_rate_of_a_step_is_the_schedules(tmp_path: Path) -> None:
    train(tmp_path)
    assert [float(row["lr"]) for row in rows(tmp_path / "log.csv")] == pytest.approx(
        [0.005, 0.01, 0.01, 0.01, 0.01, 0.00555556]
    )


@pytest.mark.parametrize("monitoring", [MONITORING, Monitoring(4, 4, 4, 2)])
def test_the_last_step_is_logged_and_saved_whatever_the_intervals(tmp_path: Path, monitoring: Monitoring) -> None:
    train(tmp_path, monitoring=monitoring)
    assert rows(tmp_path / "log.csv")[-1]["step"] == "6"
    assert (tmp_path / "checkpoint-000000006.safetensors").exists()
