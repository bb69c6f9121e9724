"""RevNet-50: the numbers of a network that stores its activations, and less memory."""

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.profiler import ProfilerActivity, profile

from components.bigbigan.encoder.revnet import RevNet


def stored(network: RevNet, x: Tensor) -> Tensor:
    """The same network as autograd would run it."""
    x = F.max_pool2d(network.stem.conv(x), 3, stride=2, padding=1)
    x = x.double() if x.dtype == torch.float64 else x.float()
    for i, stage in enumerate(network.stages):
        if i > 0:
            channels = x.shape[1] // 2
            x = F.pad(F.avg_pool2d(x, 2, ceil_mode=True), (0, 0, 0, 0, channels, channels))
        for residual in stage.residuals:
            a, b = x.chunk(2, dim=1)
            x = torch.cat([b, a + residual(b)], dim=1)
    return network.norm(x).mean((2, 3))


def build() -> RevNet:
    torch.manual_seed(0)
    network = RevNet(3, 64, 1).double()
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            nn.init.normal_(buffer)
        elif name.endswith("running_var"):
            nn.init.uniform_(buffer, 1.0, 2.0)
    return network


BUILT = build()
IMAGES = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
DIRECTION = torch.randn(4, 2048, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.fixture
def network() -> RevNet:
    return copy.deepcopy(BUILT)


@pytest.fixture
def x() -> Tensor:
    return IMAGES.clone().requires_grad_()


def loss(features: Tensor) -> Tensor:
    return (features * DIRECTION.to(features.dtype)).sum()


def assert_equal(found: Sequence[Tensor], expected: Sequence[Tensor], tolerance: float = 1e-11) -> None:
    """Of each tensor, to `tolerance` of its norm."""
    with torch.no_grad():
        assert all((a - b).norm() <= tolerance * b.norm() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(("width", "expected"), [(1, 5_408_640), (2, 21_505_792), (4, 85_765_632)])
def test_parameters_and_shapes(width, expected, monkeypatch):
    # On the meta device tensors have shapes and no values; orthogonal initialisation would need values.
    monkeypatch.setattr(nn.init, "orthogonal_", lambda tensor: tensor)
    with torch.device("meta"):
        network = RevNet(3, 128, width)
        features = [network(torch.empty(2, 3, size, size)) for size in (128, 256)]
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert network.feature_size == 2048 * width
    assert [tuple(x.shape) for x in features] == [(2, 2048 * width)] * 2


# At the start every bias is exactly 0, and so is what a ReLU sees of channels of zeros.
@pytest.mark.parametrize("start", ["initial", "any"])
@pytest.mark.parametrize("training", [True, False])
def test_output_and_gradients_are_those_of_stored_activations(network, x, training, start):
    network.train(training)
    if start == "any":
        torch.manual_seed(3)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                nn.init.uniform_(layer.weight, 0.5, 1.5)
                nn.init.normal_(layer.bias)
    features, expected = network(x), stored(network, x)
    assert_equal([features], [expected])
    values = [x, *network.parameters()]
    assert_equal(torch.autograd.grad(loss(features), values), torch.autograd.grad(loss(expected), values))


@pytest.mark.parametrize("size", [50, 33])
def test_odd_resolutions_are_rounded_up(network, size):
    x = IMAGES[:, :, :size, :size].clone().requires_grad_()
    features, expected = network(x), stored(network, x)
    assert_equal([features], [expected])
    values = [x, *network.parameters()]
    assert_equal(torch.autograd.grad(loss(features), values), torch.autograd.grad(loss(expected), values))


def test_a_stage_keeps_its_outputs_and_nothing_else(network):
    stage = network.stages[1]
    kept = []
    a, b = torch.randn(2, 4, 128, 8, 8, dtype=torch.float64).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.data_ptr()) or tensor, lambda x: x):
        outputs = stage(a, b)
    parameters = {parameter.data_ptr() for parameter in stage.parameters()}
    assert set(kept) - parameters == {output.data_ptr() for output in outputs}


def peak_bytes(forward: Callable[[Tensor], Tensor], images: Tensor, trace: Path) -> int:
    """The most that torch's allocator had given out during a step, over what it had before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        forward(images).square().sum().backward()
    profiler.export_chrome_trace(str(trace))
    events = [event for event in json.loads(trace.read_text())["traceEvents"] if event["name"] == "[memory]"]
    events.sort(key=lambda event: event["ts"])
    totals = [event["args"]["Total Allocated"] for event in events]
    return max(totals) - (totals[0] - events[0]["args"]["Bytes"])


def test_peak_memory_of_a_step_is_less_than_three_tenths(network, tmp_path):
    network.float()
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)  # so that they count on neither side
    images = torch.randn(8, 3, 128, 128)
    reversible_bytes = peak_bytes(network, images, tmp_path / "reversible.json")
    stored_bytes = peak_bytes(lambda x: stored(network, x), images, tmp_path / "stored.json")
    assert stored_bytes > 8 * 4_000_000 * 4, "about four million activations per image"
    assert reversible_bytes < 0.3 * stored_bytes


def test_between_the_passes_it_holds_less_than_a_ninth(network):
    network.float()
    images = torch.randn(4, 3, 128, 128)
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    totals = []
    for forward in (network, lambda x: stored(network, x)):
        # The images are counted on both sides; the stem's checkpoints show them to no hook.
        storages = {images.untyped_storage().data_ptr(): images.untyped_storage()}

        def keep(tensor: Tensor, storages: dict = storages) -> Tensor:
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            features = forward(images)
        totals.append(sum(storage.nbytes() for address, storage in storages.items() if address not in parameters))
        del features
    assert totals[0] < totals[1] / 9


def test_without_gradients_there_is_no_graph(network, x):
    with torch.no_grad():
        features = network(x)
    assert not features.requires_grad
    assert_equal([features], [stored(network, x)])


def test_a_frozen_network_gives_the_gradient_of_the_images(network, x):
    network.requires_grad_(False)
    (found,) = torch.autograd.grad(loss(network(x)), [x])
    assert_equal([found], torch.autograd.grad(loss(stored(network, x)), [x]))
    assert not network(IMAGES).requires_grad


def test_a_partly_frozen_network_gives_the_gradients_that_are_left(network):
    network.stem.requires_grad_(False)
    network.stages[0].requires_grad_(False)
    network.stages[2].residuals[3][2].requires_grad_(False)
    wanted = [parameter for parameter in network.parameters() if parameter.requires_grad]
    loss(network(IMAGES)).backward()
    assert_equal([parameter.grad for parameter in wanted], torch.autograd.grad(loss(stored(network, IMAGES)), wanted))
    assert all(parameter.grad is None for parameter in network.parameters() if not parameter.requires_grad)


def test_within_a_larger_graph_and_used_twice(network, x):
    torch.manual_seed(3)
    before = nn.Conv2d(3, 3, 3, padding=1).double()
    after = nn.Linear(2048, 5).double()
    values = [x, *before.parameters(), *network.parameters(), *after.parameters()]
    gradients = []
    for forward in (network, lambda x: stored(network, x)):
        y = after(forward(before(x))).tanh() + after(forward(before(x.flip(3)) * 2)).tanh()
        gradients.append(torch.autograd.grad(y.sum(), values))
    assert_equal(*gradients)


def test_hooks_on_parameters_run_once_with_the_gradient_of_all_uses(network):
    # Before accumulation (a change of the gradient) and after it (what DistributedDataParallel hangs on).
    calls = []
    parameter = network.stages[1].residuals[2][3].weight
    (expected,) = torch.autograd.grad(
        loss(stored(network, IMAGES)) + loss(stored(network, IMAGES.flip(3))), [parameter]
    )
    parameter.register_hook(lambda gradient: 2 * gradient)
    parameter.register_post_accumulate_grad_hook(lambda parameter: calls.append(parameter.grad.clone()))
    (loss(network(IMAGES)) + loss(network(IMAGES.flip(3)))).backward()
    assert len(calls) == 1
    assert_equal(calls, [2 * expected])


def test_a_second_backward_pass_gives_the_same_gradients(network, x):
    value = loss(network(x))
    values = [x, *network.parameters()]
    first = torch.autograd.grad(value, values, retain_graph=True)
    second = torch.autograd.grad(value, values)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_parameters_that_changed_before_the_backward_pass_are_refused(network):
    value = loss(network(IMAGES))
    with torch.no_grad():
        network.stages[2].residuals[0][2].weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_autocast_is_the_same_in_both_passes(network):
    # In eval mode: with so few positions, batch normalisation by the batch makes much of the last bits.
    network.float().eval()
    images = IMAGES.float()
    seen, sums = [], []
    network.stages[1].residuals[1][2].register_forward_hook(lambda module, given, result: seen.append(result.dtype))
    network.stages[0].register_forward_hook(lambda module, given, result: sums.append(result[1].dtype))
    values = list(network.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        features = network(images)
    found = torch.autograd.grad(loss(features), values)
    assert seen == [torch.bfloat16, torch.bfloat16]
    assert sums == [torch.float32], "sums of bfloat16 could not be undone"
    assert all(gradient.dtype == torch.float32 for gradient in found)
    # The backward pass within autocast, and in the same region as another use of the weights.
    with torch.autocast("cpu", torch.bfloat16):
        again = torch.autograd.grad(loss(network(images)), values)
        expected_features = stored(network, images)
        expected = torch.autograd.grad(loss(expected_features), values)
    assert_equal([features], [expected_features], tolerance=0.005)
    assert all(torch.equal(first, second) for first, second in zip(found, again, strict=True))
    assert_equal(found, expected, tolerance=0.1)


def test_channels_last_maps_stay_so(network):
    maps = []
    network.stages[3].register_forward_hook(lambda module, given, result: maps.extend(result))
    for parameter in network.parameters():
        parameter.data = (
            parameter.data.contiguous(memory_format=torch.channels_last) if parameter.dim() == 4 else parameter
        )
    features = network(IMAGES.contiguous(memory_format=torch.channels_last))
    assert_equal([features], [BUILT(IMAGES)])
    assert all(half.is_contiguous(memory_format=torch.channels_last) for half in maps)


class TwoUses(nn.Module):
    """A network used twice within a larger one: N×C×H×W -> N×5."""

    def __init__(self) -> None:
        super().__init__()
        self.network = copy.deepcopy(BUILT)
        torch.manual_seed(3)
        self.head = nn.Linear(2048, 5).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.network(x)) + self.head(self.network(x.flip(3))).tanh()


def one_rank(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), 2), rank=rank, world_size=2)
    # In small buckets, so that sums of gradients run while later activations are recomputed.
    module = DistributedDataParallel(TwoUses(), broadcast_buffers=False, bucket_cap_mb=1)
    module(IMAGES[2 * rank : 2 * rank + 2]).square().mean().backward()
    torch.save([parameter.grad for parameter in module.parameters()], folder / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


def test_over_two_ranks_gradients_are_those_of_one_batch(tmp_path):
    mp.spawn(one_rank, (tmp_path,), nprocs=2)
    module = TwoUses()
    module(IMAGES).square().mean().backward()
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert_equal(found, [parameter.grad for parameter in module.parameters()])
