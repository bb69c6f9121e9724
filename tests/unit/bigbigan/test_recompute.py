"""Activation checkpointing: the same gradients to the last bit, fewer bytes kept, and nothing done twice in vain."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from components.bigbigan.build import build_networks
from components.bigbigan.recompute import Block, recompute_blocks

NAMES = ("generator", "discriminator", "encoder")


def drawn(*shape: int, seed: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def network_and_result(
    config: dict[str, Any], name: str, dtype: torch.dtype = torch.float64
) -> tuple[nn.Module, Callable[[nn.Module], Tensor]]:
    """A network whose attention does something, and what a loss is made of."""
    network = getattr(build_networks(config, seed=0), name).to(dtype)
    for key, parameter in network.named_parameters():
        if key.endswith("gamma"):
            nn.init.constant_(parameter, 0.5)
    x, z = drawn(6, 3, 16, 16, seed=0, dtype=dtype), drawn(6, 9, seed=1, dtype=dtype)
    results = {
        "generator": lambda module: module(z),
        "discriminator": lambda module: torch.stack(list(module(x, z).terms().values())),
        "encoder": lambda module: module(x, z),
    }
    return network, results[name]


def recomputing(network: nn.Module) -> nn.Module:
    network = copy.deepcopy(network)
    recompute_blocks(network)
    assert sum(isinstance(module, Block) and module.recompute for module in network.modules()) >= 2
    return network


def gradients(network: nn.Module, result: Callable[[nn.Module], Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    made = result(network)
    made.square().sum().backward()
    return made.detach(), {name: parameter.grad for name, parameter in network.named_parameters()}


def bytes_saved(network: nn.Module, result: Callable[[nn.Module], Tensor]) -> int:
    """What the forward pass keeps for the backward pass, without the weights, each memory once."""
    kept: dict[int, int] = {}
    held = []  # so that no memory is freed and used again while it is counted
    weights = {value.untyped_storage().data_ptr() for value in network.state_dict().values()}

    def pack(tensor: Tensor) -> Tensor:
        held.append(tensor)
        memory = tensor.untyped_storage()
        if memory.data_ptr() not in weights:
            kept[memory.data_ptr()] = memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        made = result(network)
    assert made.requires_grad
    return sum(kept.values())


@contextmanager
def counted_passes(network: nn.Module) -> Iterator[dict[str, int]]:
    """How often the forward pass of each block is entered."""
    passes = {name: 0 for name, module in network.named_modules() if isinstance(module, Block)}

    def entered(name: str) -> Callable[..., None]:
        def count(module: nn.Module, given: object) -> None:
            passes[name] += 1

        return count

    handles = [network.get_submodule(name).register_forward_pre_hook(entered(name)) for name in passes]
    yield passes
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_the_same_to_the_last_bit(config, name, training):
    network, result = network_and_result(config, name)
    network.train(training)
    expected, found = gradients(network, result), gradients(recomputing(network), result)
    assert torch.equal(found[0], expected[0])
    assert expected[1].keys() == found[1].keys()
    assert all(gradient.any() for gradient in expected[1].values())
    different = [key for key, gradient in expected[1].items() if not torch.equal(gradient, found[1][key])]
    assert different == []


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_same_to_the_last_bit_in_mixed_precision(config, name):
    network, result = network_and_result(config, name, torch.float32)

    def narrow(module: nn.Module) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return result(module).float()

    expected, found = gradients(network, narrow), gradients(recomputing(network), narrow)
    assert torch.equal(found[0], expected[0])
    assert not torch.equal(expected[0], result(network)), "it is float32 after all"
    assert [key for key, gradient in expected[1].items() if not torch.equal(gradient, found[1][key])] == []


@pytest.mark.parametrize("name", NAMES)
def test_fewer_bytes_are_saved_for_the_backward_pass(config, name):
    network, result = network_and_result(config, name)
    kept = bytes_saved(network, result)
    # At least the images, and at most a good half in networks of two or three blocks.
    assert 6 * 3 * 16 * 16 * 8 <= bytes_saved(recomputing(network), result) < 0.6 * kept


@pytest.mark.parametrize("name", NAMES)
def test_each_block_is_computed_a_second_time_in_the_backward_pass(config, name):
    network, result = network_and_result(config, name)
    network = recomputing(network)
    with counted_passes(network) as passes:
        made = result(network)
        assert set(passes.values()) == {1}
        made.sum().backward()
        assert set(passes.values()) == {2}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_recomputed_where_no_gradient_is_asked_for(config, name, monkeypatch):
    network, result = network_and_result(config, name)
    network = recomputing(network)
    monkeypatch.setattr("components.bigbigan.recompute.checkpoint", lambda *_, **__: pytest.fail("a block was kept"))
    with torch.no_grad(), counted_passes(network) as passes:
        made = result(network)
    assert not made.requires_grad
    assert set(passes.values()) == {1}


@pytest.mark.parametrize("name", NAMES)
def test_blocks_keep_everything_unless_they_are_told_otherwise(config, name):
    network, result = network_and_result(config, name)
    with counted_passes(network) as passes:
        result(network).sum().backward()
    assert set(passes.values()) == {1}


@pytest.mark.parametrize("name", NAMES)
def test_the_second_pass_changes_no_buffer_and_no_name(config, name):
    network, result = network_and_result(config, name)
    again = recomputing(network)
    gradients(again, result)
    assert again.state_dict().keys() == network.state_dict().keys()
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
