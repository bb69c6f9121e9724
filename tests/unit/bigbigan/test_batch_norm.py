"""Batch normalisation: torch's own layers' numbers without their side effects, and over ranks those of one batch."""

import copy
from pathlib import Path
from unittest import mock

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from components.bigbigan.batch_norm import BatchNorm1d, BatchNorm2d
from components.bigbigan.standing_statistics import recompute

KINDS = [
    (BatchNorm1d, nn.BatchNorm1d, (6, 4)),
    (BatchNorm2d, nn.BatchNorm2d, (6, 4, 3, 5)),
]


def pair(ours: type, torchs: type, affine: bool) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    theirs = torchs(4, eps=1e-3, affine=affine).double()
    for value in [*theirs.parameters(), theirs.running_mean]:
        nn.init.normal_(value)
    nn.init.uniform_(theirs.running_var, 1.0, 2.0)
    layer = ours(4, eps=1e-3, affine=affine).double()
    layer.load_state_dict(theirs.state_dict())
    return layer, theirs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("ours", "torchs", "shape"), KINDS)
def test_output_and_gradients_are_those_of_torchs_own_layer(ours, torchs, shape, affine, training):
    results = []
    for layer in pair(ours, torchs, affine):
        layer.train(training)
        x = (
            torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3 + 2
        ).requires_grad_()
        y = layer(x)
        y.sin().sum().backward()
        results.append([y, x.grad, *(value.grad for value in layer.parameters())])
    torch.testing.assert_close(*results, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("ours", "torchs", "shape"), KINDS)
def test_a_training_pass_writes_nothing(ours, torchs, shape):
    layer, _ = pair(ours, torchs, affine=True)
    before = copy.deepcopy(layer.state_dict())
    layer.train()(torch.randn(shape, dtype=torch.float64))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_under_autocast_the_statistics_are_not_rounded(affine, training):
    layer = BatchNorm2d(4, affine=affine).train(training)
    x = (torch.randn(16, 4, 8, 8) + 5).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    exact = copy.deepcopy(layer).double()(x.double())
    # Of each value only the last rounding remains: half a unit in the last of 8 bits.
    torch.testing.assert_close(y.double(), exact, rtol=2**-8, atol=1e-4)


def test_channels_last_maps_stay_so():
    x = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    assert BatchNorm2d(3)(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("layer", "shape"), [(BatchNorm1d(3), (4, 3, 2, 2)), (BatchNorm2d(3), (4, 3))])
def test_another_number_of_dimensions_is_refused(layer, shape):
    with pytest.raises(ValueError, match=r"expected .*D input"):
        layer(torch.randn(shape))


def test_a_single_value_per_channel_is_refused():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        BatchNorm1d(3)(torch.randn(1, 3))


# Over ranks: three processes play each case in a group of three, then the first two in a group of two.

IMAGES = 12
CASES = ["plain", "recomputed", "distributed_data_parallel"]


class Network(nn.Module):
    """Batch norms one behind the other, of both kinds, with and without gain: N×3×5×4 -> N×4."""

    def __init__(self, case: str) -> None:
        super().__init__()
        self.case = case
        self.maps = nn.Sequential(
            BatchNorm2d(3), nn.Conv2d(3, 5, 3), nn.Tanh(), BatchNorm2d(5, eps=1e-4, affine=False), nn.Tanh()
        )
        self.features = nn.Sequential(nn.Linear(30, 4), BatchNorm1d(4))

    def forward(self, x: Tensor) -> Tensor:
        if self.case == "recomputed":
            x = checkpoint(self.maps, x, use_reentrant=False)
            return checkpoint(lambda x: self.features(x.flatten(1)), x, use_reentrant=False)
        return self.features(self.maps(x).flatten(1))


def network(case: str) -> Network:
    torch.manual_seed(0)
    module = Network(case).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


def images() -> Tensor:
    """Each third and each half has other moments."""
    torch.manual_seed(1)
    return torch.randn(IMAGES, 3, 5, 4, dtype=torch.float64) * torch.linspace(1, 3, IMAGES)[:, None, None, None] + 2


def targets() -> Tensor:
    return torch.arange(IMAGES * 4, dtype=torch.float64).reshape(IMAGES, 4).cos()


def play(module: nn.Module, x: Tensor, targets: Tensor) -> list[Tensor]:
    """[output, gradient of x, gradients of the parameters] of a loss that is a mean over images."""
    x = x.clone().requires_grad_()
    y = module(x)
    (y.sin() * targets).mean().backward()
    return [y.detach(), x.grad, *(parameter.grad for parameter in module.parameters())]


def one_rank(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    for ranks in (3, 2):
        if rank < ranks:
            store = dist.FileStore(str(folder / f"store{ranks}"), ranks)
            dist.init_process_group("gloo", store=store, rank=rank, world_size=ranks)
            part = slice(rank * IMAGES // ranks, (rank + 1) * IMAGES // ranks)
            torch.save(results_of_one_rank(part, alone=rank == 0), folder / f"{ranks}_{rank}.pt")
            dist.barrier()
            dist.destroy_process_group()


def results_of_one_rank(part: slice, alone: bool) -> dict[str, object]:
    results: dict[str, object] = {}
    for case in CASES:
        module: nn.Module = network(case)
        if case == "distributed_data_parallel":
            module = DistributedDataParallel(module, broadcast_buffers=False)
        results[case] = play(module, images()[part], targets()[part])
    half = images()[part].bfloat16().to(memory_format=torch.channels_last)
    results["bfloat16"] = BatchNorm2d(3)(half)
    with mock.patch.object(dist, "all_reduce", wraps=dist.all_reduce) as all_reduce:
        play(network("plain"), images()[part], targets()[part])
        results["sums"] = all_reduce.call_count
    if alone:
        standing = network("plain")
        with mock.patch.object(dist, "all_reduce", side_effect=AssertionError("the other ranks take no part")):
            recompute(standing, [(images(),)] * 2)
        results["standing statistics"] = standing.state_dict()
    return results


@pytest.fixture(scope="module")
def over_ranks(tmp_path_factory) -> dict[int, list[dict]]:
    """For each number of ranks what each rank found."""
    folder = tmp_path_factory.mktemp("ranks")
    mp.spawn(one_rank, (folder,), nprocs=3)
    return {ranks: [torch.load(folder / f"{ranks}_{rank}.pt") for rank in range(ranks)] for ranks in (2, 3)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ranks", [2, 3])
def test_over_ranks_output_and_gradients_are_those_of_one_batch(over_ranks, ranks, case):
    outputs, of_images, *of_parameters = zip(*(results[case] for results in over_ranks[ranks]), strict=True)
    output, of_image, *of_parameter = play(network("plain"), images(), targets())
    exactly = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(torch.cat(outputs), output, **exactly)
    # Each rank's loss is the mean over its own images: their sum is `ranks` times the mean over all.
    torch.testing.assert_close(torch.cat(of_images), ranks * of_image, **exactly)
    for found, expected in zip(of_parameters, of_parameter, strict=True):
        torch.testing.assert_close(torch.stack(found).mean(0), expected, **exactly)
        if case == "distributed_data_parallel":
            assert all(torch.equal(gradient, found[0]) for gradient in found)


@pytest.mark.parametrize("ranks", [2, 3])
def test_over_ranks_each_layer_sums_once_forward_and_once_backward(over_ranks, ranks):
    assert [results["sums"] for results in over_ranks[ranks]] == [3 + 3] * ranks


def test_over_ranks_half_precision_and_memory_format_stay(over_ranks):
    y = torch.cat([results["bfloat16"] for results in over_ranks[2]])
    assert y.dtype == torch.bfloat16
    assert y.is_contiguous(memory_format=torch.channels_last)
    expected = BatchNorm2d(3).double()(images().bfloat16().double())
    torch.testing.assert_close(y.double(), expected, rtol=2**-8, atol=1e-4)


def test_standing_statistics_of_one_rank_need_no_other(over_ranks):
    expected = network("plain")
    recompute(expected, [(images(),)] * 2)
    torch.testing.assert_close(over_ranks[2][0]["standing statistics"], expected.state_dict(), rtol=0, atol=0)
