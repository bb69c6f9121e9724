"""The layers of each network: what they put out, and how many parameters they have."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from components.bigbigan.build import Networks
from components.bigbigan.pixels import at_size

# The networks that each network is of, with the beginnings of their parameters' names; "" is what is left.
_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "generator": {"G": ("",)},
    "encoder": {"E, trunk": ("trunk.",), "E, head": ("",)},
    "discriminator": {
        "D, F and its score": ("image_features.", "image_score."),
        "D, H and its score": ("latent_features.", "latent_score."),
        "D, J and its score": ("joint_features.", "joint_score."),
        "D": ("",),
    },
}

Shapes = list[list[int]]


@dataclass(frozen=True)
class Layer:
    """A layer with parameters. Its outputs are those for one image, without N; a bare parameter has none."""

    name: str
    outputs: Shapes
    parameters: int


@dataclass(frozen=True)
class Network:
    name: str
    parameters: int
    layers: list[Layer]


def list_networks(networks: Networks, images: Tensor, latents: Tensor, depth: int) -> list[Network]:
    """Runs each network once and says what it is made of, in the order in which its layers are done.

    Args:
        images: N×C×H×W at the dataset's resolution.
        latents: N×Z.
        depth: down to which layers are told apart: at 2, `blocks.0` is one and what it holds is counted with it.
    """
    seen = at_size(images, networks.generator(latents).shape[-1])
    inputs = {"generator": (latents,), "encoder": (images, latents), "discriminator": (seen, latents)}
    listed = []
    for name, network in networks.named_children():
        listed += _list_parts(_PARTS[name], network, _outputs(network, inputs[name]), depth)
    return listed


def _list_parts(
    parts: Mapping[str, tuple[str, ...]], network: nn.Module, outputs: Mapping[str, Shapes], depth: int
) -> list[Network]:
    listed = []
    rest = dict(network.named_parameters())
    for name, beginnings in parts.items():
        inside = beginnings[0]
        own = {key.removeprefix(inside): rest.pop(key) for key in list(rest) if key.startswith(beginnings)}
        if own:
            layers = _layers(own, {path.removeprefix(inside): shapes for path, shapes in outputs.items()}, depth)
            listed.append(Network(name, _count(own.values()), layers))
    return listed


def _layers(parameters: Mapping[str, Tensor], outputs: Mapping[str, Shapes], depth: int) -> list[Layer]:
    grouped: dict[str, list[Tensor]] = {}
    for key, parameter in parameters.items():
        *modules, own = key.split(".")
        grouped.setdefault(".".join(modules[:depth]) or own, []).append(parameter)
    place = {name: index for index, name in enumerate(outputs)}
    names = sorted(grouped, key=lambda name: place.get(name, -1))
    return [Layer(name, outputs.get(name, []), _count(grouped[name])) for name in names]


def _outputs(network: nn.Module, inputs: tuple[Tensor, ...]) -> dict[str, Shapes]:
    """What each module inside `network` puts out, by its path, in the order in which they are first done.

    A list of modules, which does nothing itself, puts out what the last of them does.
    """
    shapes: dict[str, Shapes] = {}
    modules = dict(network.named_modules())

    def hook(path: str) -> Callable[..., None]:
        def note(module: nn.Module, given: Any, output: Any) -> None:
            found = [list(tensor.shape[1:]) for tensor in (output if isinstance(output, tuple) else (output,))]
            done = path
            while done:
                shapes[done] = found
                done = done.rpartition(".")[0]
                if not isinstance(modules[done], nn.ModuleList | nn.ModuleDict):
                    break

        return note

    hooks = [module.register_forward_hook(hook(path)) for path, module in modules.items() if path]
    with torch.no_grad():
        network(*inputs)
    for handle in hooks:
        handle.remove()
    return shapes


def _count(parameters: Iterable[Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)
