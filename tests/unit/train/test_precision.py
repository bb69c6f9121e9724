"""16-bit training on the CPU: what stays float32, how far the losses are from float32's, and what an overflow does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from components.train.draws import step_draws
from components.train.phase import apply, backward, phases
from components.train.precision import autocast, gradient_scaler, set_matmul_precision, widened
from components.train.state import State
from tests.unit.train.toy import ALONE, CPU, METHODS, make_recipe, make_state, pixels, run, same, weights

# Of the numbers of a first step, over all methods: 0.0052 and 0.0007 were measured; bf16 has 8 bits, fp16 11.
DISTANCE = {"bf16": 0.02, "fp16": 0.003}


def first_numbers(method: str, precision: str) -> dict[str, Tensor]:
    recipe = make_recipe(method, {"train.precision": precision, "train.batch_size": 16})
    state = make_state(recipe)
    numbers: dict[str, Tensor] = {}
    for phase in {phase.name: phase for turn in phases(state, recipe, ALONE) for phase in turn}.values():
        images = pixels(16, recipe.image.size)
        numbers |= backward(phase, state.networks, images, step_draws(recipe, 0, 0), 1, ALONE, 0)
    return numbers


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("method", METHODS)
def test_losses_and_scores_are_near_those_of_float32(method: str, precision: str) -> None:
    expected, found = first_numbers(method, "fp32"), first_numbers(method, precision)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.dtype == torch.float32, name
        if "accuracy" not in name and "gradient_norm" not in name:
            assert float(value) == pytest.approx(
                float(expected[name]), abs=DISTANCE[precision], rel=DISTANCE[precision]
            )
    assert any(not torch.equal(value, expected[name]) for name, value in found.items())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_moments_vectors_and_averages_stay_float32(tmp_path: Path, precision: str) -> None:
    state = run(tmp_path, make_recipe(changes={"train.precision": precision, "train.steps": 2}))
    tensors = [*state.networks.state_dict().items(), *state.averaged.state_dict().items()]
    for optimiser in state.optimisers.values():
        moments = optimiser.state_dict()["state"]
        assert len(moments) > 10
        tensors += [(name, value) for entry in moments.values() for name, value in entry.items()]
    for name, value in tensors:
        assert value.dtype == torch.float32 or name.endswith("num_batches_tracked"), name
    with safetensors.safe_open(next(tmp_path.glob("checkpoint-*")), "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float32, torch.int64}  # noqa: SIM118


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_it_computes_in_16_bits_where_it_says(precision: str) -> None:
    kinds: set[torch.dtype] = set()
    with autocast(precision, CPU):
        kinds.add(nn.Linear(2, 2)(torch.zeros(1, 2)).dtype)
        kinds.add(nn.Conv2d(1, 1, 1)(torch.zeros(1, 1, 2, 2)).dtype)
    assert kinds == {{"bf16": torch.bfloat16, "fp16": torch.float16}[precision]}
    for full in ("fp32", "tf32"):
        with autocast(full, CPU):
            assert nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == torch.float32


def test_what_a_loss_is_computed_of_is_at_least_float32() -> None:
    kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    assert [widened(torch.zeros(1, dtype=kind)).dtype for kind in kinds] == [torch.float32] * 3 + [torch.float64]


@pytest.fixture
def tf32() -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.mark.usefixtures("tf32")
def test_fp32_forbids_tf32_and_the_others_allow_it() -> None:
    for precision in ("bf16", "fp32", "tf32", "fp32", "fp16"):
        set_matmul_precision(precision)
        allowed = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        assert allowed == (precision != "fp32", precision != "fp32")


def test_only_fp16_scales() -> None:
    enabled = {
        precision: gradient_scaler(precision, CPU).is_enabled() for precision in ("fp32", "tf32", "bf16", "fp16")
    }
    assert enabled == {"fp32": False, "tf32": False, "bf16": False, "fp16": True}


def overflow(state: State, of: str) -> RemovableHandle:
    """Makes one gradient of a network infinite."""
    parameter = next(getattr(state.networks, of).parameters())
    return parameter.register_hook(lambda gradient: gradient * torch.inf)


@pytest.mark.parametrize("of", ["discriminator", "generator"])
def test_an_overflow_leaves_the_weights_halves_the_scale_and_the_run_goes_on(of: str) -> None:
    recipe = make_recipe(changes={"train.precision": "fp16"})
    state = make_state(recipe)
    state.scalers = {name: torch.amp.GradScaler("cpu", init_scale=256.0) for name in state.scalers}
    phase = phases(state, recipe, ALONE)[0 if of == "discriminator" else -1][0]
    draws = step_draws(recipe, 0, 0)

    def step() -> dict[str, Tensor]:
        numbers = backward(phase, state.networks, pixels(4), draws, 1, ALONE, step=0)
        apply(phase, lr=0.01)
        return numbers

    step()
    assert phase.scaler.get_scale() == 256
    before = weights(state.networks)
    moments = json.dumps([entry["exp_avg_sq"].sum().item() for entry in phase.optimiser.state.values()])
    hook = overflow(state, of)
    numbers = step()
    hook.remove()
    assert not torch.isfinite(numbers[f"{phase.name}/gradient_norm"])
    assert phase.scaler.get_scale() == 128
    assert all(torch.equal(value, before[name]) for name, value in state.networks.named_parameters())
    assert json.dumps([entry["exp_avg_sq"].sum().item() for entry in phase.optimiser.state.values()]) == moments
    assert torch.isfinite(step()[f"{phase.name}/gradient_norm"])
    assert any(not torch.equal(value, before[name]) for name, value in state.networks.named_parameters())
    other = "generator_encoder" if of == "discriminator" else "discriminator"
    assert state.scalers[other].get_scale() == 256


def test_the_gradient_of_fp16_is_that_of_fp32_whatever_the_scale() -> None:
    norms = []
    for scale in (2.0**4, 2.0**12):
        recipe = make_recipe(changes={"train.precision": "fp16"})
        state = make_state(recipe)
        state.scalers["discriminator"] = torch.amp.GradScaler("cpu", init_scale=scale)
        phase = phases(state, recipe, ALONE)[0][0]
        numbers = backward(phase, state.networks, pixels(4), step_draws(recipe, 0, 0), 1, ALONE, 0)
        norms.append(float(numbers["discriminator/gradient_norm"]))
    recipe = make_recipe()
    state = make_state(recipe)
    phase = phases(state, recipe, ALONE)[0][0]
    exact = backward(phase, state.networks, pixels(4), step_draws(recipe, 0, 0), 1, ALONE, 0)
    assert norms == pytest.approx([float(exact["discriminator/gradient_norm"])] * 2, rel=0.01)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_run_that_was_stopped_ends_with_the_same_bits(
    tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a scale that moves: so high at first that the first steps overflow."""
    monkeypatch.setattr(
        "components.train.state.gradient_scaler",
        lambda precision, device: torch.amp.GradScaler("cpu", 2.0**40, growth_interval=2, enabled=precision == "fp16"),
    )
    recipe = make_recipe(changes={"train.precision": precision, "train.steps": 14})
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", recipe, stop_after=12)
    stopped, whole = run(tmp_path / "stopped", recipe), run(tmp_path / "whole", recipe)
    assert same(stopped, whole)
    assert [scaler.state_dict() for scaler in stopped.scalers.values()] == [
        scaler.state_dict() for scaler in whole.scalers.values()
    ]
    if precision == "fp16":
        assert whole.scalers["discriminator"].get_scale() < 2.0**40
        with safetensors.safe_open(tmp_path / "whole" / "checkpoint-000000014.safetensors", "pt") as file:
            scalers = json.loads(file.metadata()["state"])["scalers"]
        assert scalers["discriminator"]["scale"] == whole.scalers["discriminator"].get_scale()
    assert (tmp_path / "stopped" / "log.csv").read_bytes() == (tmp_path / "whole" / "log.csv").read_bytes()
