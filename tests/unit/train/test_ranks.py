"""Training on several ranks: the same images and noise, and the weights of one rank but for rounding.

The ranks are processes that are started once and play all cases; the tests look at what they left.
"""

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import safetensors.torch
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from components.artifacts.errors import UserError
from components.artifacts.ranks import Ranks
from components.bigbigan.pixels import to_float
from components.train.state import State
from tests.unit.train.toy import ALONE, CPU, distance, make_recipe, run, same

FP64, FP32 = torch.float64, torch.float32
# Of weights and averages after four steps of Adam, relative to the largest of their tensor; measured: 6e-12 and 1e-3.
# (Adam divides by the root of the mean square: where that is near 0, rounding of a gradient is rounding of the step.)
TOLERANCE = {FP64: 1e-10, FP32: 1e-2}
# Of the numbers in the log, which have six digits; measured: 0 and 2e-6.
OF_NUMBERS = {FP64: 1e-5, FP32: 1e-4}
SHORT = {"train.batch_size": 8, "train.steps": 4, "train.eps": 1e-3}
FEW = ("BigBiGAN", "in parts")

# name: the method, what is changed of its recipe, and in which precision it is computed.
CASES: dict[str, tuple[str, dict[str, Any], torch.dtype]] = {
    "BigBiGAN": ("BigBiGAN", {}, FP64),
    "BigBiGAN, float32": ("BigBiGAN", {}, FP32),
    "in parts": ("BigBiGAN", {"train.accumulation_steps": 2}, FP64),
    "recomputed": ("BigBiGAN", {"train.recompute_activations": True}, FP64),
    "GAN": ("GAN", {}, FP64),
    "ALI": ("ALI", {}, FP64),
    "BiGAN": ("BiGAN", {}, FP64),
    "joint latent regressor": ("joint latent regressor", {}, FP64),
    "autoencoder": ("autoencoder l1", {}, FP64),
    "fp16": ("BigBiGAN", {"train.precision": "fp16"}, FP32),
}


def train(directory: Path, case: str, ranks: Ranks = ALONE, stop_after: int = 0) -> State:
    method, changes, dtype = CASES[case]
    return run(directory, make_recipe(method, SHORT | changes), ranks, stop_after, dtype=dtype)


# ------------------------------------------------------------------------------------------ in the processes


def process(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    for count in (4, 2):
        if rank < count:
            with group(folder / f"store-{count}", rank, count) as ranks:
                play(folder / str(count), ranks)


@contextmanager
def group(store: Path, rank: int, count: int) -> Iterator[Ranks]:
    dist.init_process_group("gloo", store=dist.FileStore(str(store), count), rank=rank, world_size=count)
    yield Ranks(rank, count, CPU)
    dist.barrier()
    dist.destroy_process_group()


def play(folder: Path, ranks: Ranks) -> None:
    for case in CASES if ranks.count == 2 else FEW:
        state = train(folder / case, case, ranks)
        content = state.networks.state_dict() | {f"averaged.{k}": v for k, v in state.averaged.state_dict().items()}
        tensors = {name: value.contiguous() for name, value in content.items()}
        safetensors.torch.save_file(tensors, folder / f"{case}-{ranks.rank}.safetensors")
    for case in ("BigBiGAN", "fp16") if ranks.count == 2 else ("BigBiGAN",):
        # The wish to stop is that of one rank; only rank 0 has the checkpoint.
        place = folder / f"{case}, stopped"
        wishes = 2 if ranks.rank == ranks.count - 1 else 0
        with pytest.raises(KeyboardInterrupt):
            train(place, case, ranks, stop_after=wishes)
        saved = (place / "checkpoint-000000002.safetensors").exists()
        (folder / f"{case}, left by {ranks.rank}").write_text(f"saved: {saved}")
        if ranks.writes:
            shutil.copytree(place, folder / f"{case}, went on")
        dist.barrier()
        train(folder / f"{case}, went on" if ranks.writes else folder / f"nothing here {ranks.rank}", case, ranks)
    if ranks.count == 2:
        # What four ranks began; one goes on with it too, in the test.
        went_on = folder / "begun by four"
        if ranks.writes:
            shutil.copytree(folder.parent / "4" / "BigBiGAN, stopped", went_on)
        dist.barrier()
        train(went_on, "BigBiGAN", ranks)
        (folder / f"refused on {ranks.rank}").write_text(refusal_of_a_gradient_of_one_rank(folder / "broken", ranks))


def refusal_of_a_gradient_of_one_rank(directory: Path, ranks: Ranks) -> str:
    """One rank's images are not finite; what each rank says of it."""
    spoilt = float("nan") if ranks.rank == 1 else 0.0
    with (
        mock.patch("components.train.batches.to_float", lambda images: to_float(images) + spoilt),
        pytest.raises(UserError) as refused,
    ):
        run(directory, make_recipe(changes=SHORT), ranks)
    return str(refused.value)


# ------------------------------------------------------------------------------------------------- the tests


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ranks")
    for count in ("2", "4"):
        (path / count).mkdir()
    mp.spawn(process, (path,), nprocs=4)
    return path


def finished(folder: Path, case: str) -> State:
    """The state that a finished run left."""
    return train(folder, case)


def rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


PLAYED = [(2, case) for case in CASES if case != "fp16"] + [(4, case) for case in FEW]


@pytest.mark.parametrize(("count", "case"), PLAYED)
def test_the_weights_are_those_of_one_rank_but_for_rounding(
    folder: Path, tmp_path: Path, count: int, case: str
) -> None:
    one = train(tmp_path / "one", case)
    many = finished(folder / str(count) / case, case)
    assert many.step == one.step == 4
    assert distance(many, one) < TOLERANCE[CASES[case][2]]
    of_one, of_many = rows(tmp_path / "one" / "log.csv"), rows(folder / str(count) / case / "log.csv")
    assert len(of_one) == len(of_many) == 4
    for expected, found in zip(of_one, of_many, strict=True):
        assert found == pytest.approx(expected, rel=OF_NUMBERS[CASES[case][2]], abs=OF_NUMBERS[CASES[case][2]])


def test_different_images_would_be_seen(folder: Path, tmp_path: Path) -> None:
    """The tolerance of float32 tells two seeds apart."""
    other = run(tmp_path / "other", make_recipe(changes=SHORT | {"train.seed": 4}))
    assert distance(finished(folder / "2" / "BigBiGAN, float32", "BigBiGAN, float32"), other) > 0.3


@pytest.mark.parametrize("count", [2, 4])
def test_all_ranks_hold_the_same_bits(folder: Path, count: int) -> None:
    for case in CASES if count == 2 else FEW:
        first, *others = (
            safetensors.torch.load_file(folder / str(count) / f"{case}-{rank}.safetensors") for rank in range(count)
        )
        for other in others:
            for name, value in first.items():
                # v is not broadcast, but computed, by each rank of the same weights.
                assert torch.equal(value, other[name]), name


def test_recomputed_activations_change_no_bit(folder: Path) -> None:
    kept, recomputed = (finished(folder / "2" / case, "BigBiGAN") for case in ("BigBiGAN", "recomputed"))
    assert same(kept, recomputed)


@pytest.mark.parametrize(("count", "case"), [(2, "BigBiGAN"), (2, "fp16"), (4, "BigBiGAN")])
def test_the_wish_of_one_rank_stops_all_and_as_many_go_on_with_the_same_bits(
    folder: Path, count: int, case: str
) -> None:
    place = folder / str(count)
    assert [path.name for path in (place / f"{case}, stopped").glob("checkpoint-*")] == [
        "checkpoint-000000002.safetensors"
    ]
    whole, went_on = (place / name / "checkpoint-000000004.safetensors" for name in (case, f"{case}, went on"))
    assert whole.read_bytes() == went_on.read_bytes()
    assert (place / case / "log.csv").read_bytes() == (place / f"{case}, went on" / "log.csv").read_bytes()


def test_no_rank_leaves_before_the_state_is_saved(folder: Path) -> None:
    for rank in range(4):
        assert (folder / "4" / f"BigBiGAN, left by {rank}").read_text() == "saved: True"


def test_another_number_of_ranks_goes_on_within_rounding(folder: Path, tmp_path: Path) -> None:
    unbroken = train(tmp_path / "one", "BigBiGAN")
    shutil.copytree(folder / "4" / "BigBiGAN, stopped", tmp_path / "begun by four")
    for place in (tmp_path / "begun by four", folder / "2" / "begun by four"):
        assert distance(train(place, "BigBiGAN"), unbroken) < TOLERANCE[FP64]


def test_only_rank_0_writes(folder: Path) -> None:
    for count in (2, 4):
        for rank in range(1, count):
            assert list((folder / str(count) / f"nothing here {rank}").iterdir()) == []


def test_what_is_not_finite_on_one_rank_stops_all(folder: Path) -> None:
    for rank in range(2):
        assert "discriminator/loss_image = nan" in (folder / "2" / f"refused on {rank}").read_text()


@pytest.mark.parametrize(("count", "parts"), [(1, 1), (2, 1), (4, 1), (1, 2), (2, 2), (4, 2)])
def test_the_shares_of_all_ranks_are_the_batch_part_by_part(count: int, parts: int) -> None:
    shares = torch.stack([Ranks(rank, count, CPU).share(16, parts).view(parts, -1) for rank in range(count)])
    assert shares.transpose(0, 1).reshape(-1).tolist() == list(range(16))
