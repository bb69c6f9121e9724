"""The training state on disk: `checkpoint-<step>.safetensors`, each written whole or not at all.

Weights, averaged weights, Adam's moments, the scale of fp16's gradients, and the step; everything else is a function
of (seed, step). A file is written aside, synced and renamed: a kill leaves a `.partial-` sibling that nothing reads.
"""

import json
import sys
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from components.artifacts.files import write_bytes
from components.artifacts.ranks import Ranks
from components.train.state import State

_MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(directory: Path, state: State, kept: int) -> None:
    """Writes the state, then removes all but the newest `kept` checkpoints."""
    scalers = {name: scaler.state_dict() for name, scaler in state.scalers.items()}
    # One key: safetensors writes several in an order that differs from process to process.
    metadata = {"state": json.dumps({"step": state.step, "scalers": scalers}, sort_keys=True)}
    tensors = {name: value.contiguous() for name, value in _tensors(state).items()}
    content = safetensors.torch.save(tensors, metadata)
    write_bytes(directory / f"checkpoint-{state.step:09d}.safetensors", content)
    for path in _checkpoints(directory)[kept:]:
        path.unlink()


def load_newest_checkpoint(directory: Path, state: State) -> None:
    """Brings `state` to the newest checkpoint that can be read, or leaves it at its start if there is none.

    A checkpoint that cannot be read (a failing disk: our own writes are whole) is named on stderr, and the one before
    it is taken.
    """
    for path in _checkpoints(directory):
        try:
            with safetensors.safe_open(path, "pt") as file:
                rest = json.loads(file.metadata()["state"])
            tensors = safetensors.torch.load_file(path)
        except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
            print(f"{path} cannot be read ({error}): trying the checkpoint before it", file=sys.stderr)
            continue
        _restore(state, tensors, rest)
        return


def receive_state(state: State, ranks: Ranks) -> None:
    """Brings the state of every rank to that of rank 0, which alone needs to see the checkpoints."""
    scalers = {name: scaler.state_dict() for name, scaler in state.scalers.items()}
    numbers = [float(state.step), *(value for scaler in scalers.values() for value in scaler.values())]
    progress = torch.tensor(numbers, dtype=torch.float64, device=ranks.device)
    ranks.receive([progress])
    step, *received = progress.tolist()
    state.step = int(step)
    for name, scaler in scalers.items():
        for key, value in scaler.items():
            scaler[key] = type(value)(received.pop(0))
        state.scalers[name].load_state_dict(scaler)
    if state.step and not ranks.writes:
        _make_room_for_moments(state)
    # Sorted: what was loaded has the order of the file.
    ranks.receive([tensor for _, tensor in sorted(_tensors(state).items())])


def _checkpoints(directory: Path) -> list[Path]:
    """Newest first."""
    return sorted(directory.glob("checkpoint-*.safetensors"), reverse=True)


def _tensors(state: State) -> dict[str, Tensor]:
    tensors = {f"networks.{name}": value for name, value in state.networks.state_dict().items()}
    tensors |= {f"averaged.{name}": value for name, value in state.averaged.state_dict().items()}
    for optimiser_name, optimiser in state.optimisers.items():
        for index, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"{optimiser_name}.{index}.{name}": value for name, value in moments.items()}
    return tensors


def _restore(state: State, tensors: dict[str, Tensor], rest: dict[str, Any]) -> None:
    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}

    state.networks.load_state_dict(part("networks."))
    state.averaged.load_state_dict(part("averaged."))
    for optimiser_name, optimiser in state.optimisers.items():
        parameters = _parameters(optimiser)
        for name, value in part(f"{optimiser_name}.").items():
            index, key = name.split(".")
            parameter = parameters[int(index)]
            # The fused Adam walks through weights and moments in the order of memory: both need the same layout.
            room = torch.empty_like(parameter) if key in _MOMENTS else value.new_empty(()).to(parameter.device)
            optimiser.state[parameter][key] = room.copy_(value)
    for name, scaler in state.scalers.items():
        scaler.load_state_dict(rest["scalers"][name])
    state.step = rest["step"]


def _make_room_for_moments(state: State) -> None:
    """What Adam carries for each weight, as zeros."""
    for optimiser in state.optimisers.values():
        for parameter in _parameters(optimiser):
            moments = {name: torch.zeros_like(parameter) for name in _MOMENTS}
            optimiser.state[parameter] = {"step": torch.zeros((), device=parameter.device), **moments}


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
