"""The training state on disk: `checkpoint-<step>.safetensors`, each written whole or not at all.

Weights, averaged weights, Adam's moments, and the step; everything else is a function of (seed, step). A file is
written aside, synced and renamed: a kill leaves a `.partial-` sibling that nothing reads.
"""

import json
import sys
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from components.artifacts.files import write_bytes
from components.train.state import State


def save_checkpoint(directory: Path, state: State, kept: int) -> None:
    """Writes the state, then removes all but the newest `kept` checkpoints."""
    content = safetensors.torch.save(_tensors(state), metadata={"state": json.dumps({"step": state.step})})
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
                step = json.loads(file.metadata()["state"])["step"]
            tensors = safetensors.torch.load_file(path)
        except (SafetensorError, OSError) as error:
            print(f"{path} cannot be read ({error}): trying the checkpoint before it", file=sys.stderr)
            continue
        _restore(state, tensors, step)
        return


def _checkpoints(directory: Path) -> list[Path]:
    """Newest first."""
    return sorted(directory.glob("checkpoint-*.safetensors"), reverse=True)


def _optimisers(state: State) -> dict[str, torch.optim.Adam]:
    return {
        "generator_encoder": state.generator_encoder_optimiser,
        "discriminator": state.discriminator_optimiser,
    }


def _tensors(state: State) -> dict[str, Tensor]:
    tensors = {f"networks.{name}": value for name, value in state.networks.state_dict().items()}
    tensors |= {f"averaged.{name}": value for name, value in state.averaged.state_dict().items()}
    for optimiser_name, optimiser in _optimisers(state).items():
        for index, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"{optimiser_name}.{index}.{name}": value for name, value in moments.items()}
    return {name: value.contiguous() for name, value in tensors.items()}


def _restore(state: State, tensors: dict[str, Tensor], step: int) -> None:
    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}

    state.networks.load_state_dict(part("networks."))
    state.averaged.load_state_dict(part("averaged."))
    for optimiser_name, optimiser in _optimisers(state).items():
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        for name, value in part(f"{optimiser_name}.").items():
            index, key = name.split(".")
            parameter = parameters[int(index)]
            # The fused Adam walks through weights and moments in the order of memory: both need the same layout.
            like_parameter = value.shape == parameter.shape and value.dim() == 4
            optimiser.state[parameter][key] = torch.empty_like(parameter).copy_(value) if like_parameter else value
    state.step = step
