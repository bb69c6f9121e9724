"""Features on several ranks, with gloo: the bytes of one process, whatever the ranks' shares are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from components.artifacts.dataset import Dataset, open_dataset
from components.artifacts.errors import UserError
from components.artifacts.model import Model
from components.artifacts.ranks import Ranks
from components.bigbigan.build import build_networks
from components.evaluate_representation.networks import (
    discriminator,
    obtain_features,
    trained_encoder,
    untrained_encoder,
)
from tests.unit.evaluate_representation.alone import ALONE, CPU
from tests.unit.toy_model import CONFIG

MakeDataset = Callable[..., Dataset]
# 60 + 31 + 30 images make 5 + 3 + 3 batches: neither 2 nor 3 ranks share them evenly.
COUNTS, BATCH_SIZE = (60, 31, 30), 13


def toy_model() -> Model:
    return Model(build_networks(CONFIG, seed=5).eval().requires_grad_(False), CONFIG, {})


def obtain_all(dataset: Dataset, cache: Path, ranks: Ranks) -> list[tuple[str, bool]]:
    model = toy_model()
    networks = (
        trained_encoder(model), untrained_encoder(model, dataset.train, 0), discriminator(model, dataset.train, 0),
    )  # fmt: skip
    found = (obtain_features(network, dataset, BATCH_SIZE, cache, ranks) for network in networks)
    return [(directory.name, was_there) for directory, was_there in found]


def process(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    for count in (3, 2):
        if rank < count:
            store = dist.FileStore(str(folder / f"store-{count}"), count)
            dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
            play(folder, Ranks(rank, count, CPU))
            dist.barrier()
            dist.destroy_process_group()


def play(folder: Path, ranks: Ranks) -> None:
    dataset, cache = open_dataset(folder / "dataset"), folder / f"cache-{ranks.count}"
    first = obtain_all(dataset, cache, ranks)
    assert [was_there for _, was_there in first] == [False] * 3
    assert obtain_all(dataset, cache, ranks) == [(name, True) for name, _ in first]
    model = toy_model()
    next(model.networks.encoder.parameters()).data[0] = float("nan")
    with pytest.raises(UserError, match="not finite"):
        obtain_features(trained_encoder(model), dataset, BATCH_SIZE, folder / f"broken-{ranks.count}", ranks)


def contents(cache: Path) -> dict[str, bytes]:
    return {str(path.relative_to(cache)): path.read_bytes() for path in cache.glob("*/*.npy")}


def test_uneven_shares_give_the_bytes_of_one_process(tmp_path: Path, make_dataset: MakeDataset) -> None:
    dataset = make_dataset(counts=COUNTS)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    obtain_all(dataset, tmp_path / "cache", ALONE)
    torch.set_num_threads(threads)
    mp.spawn(process, (tmp_path,), nprocs=3)
    alone = contents(tmp_path / "cache")
    assert len(alone) == 12
    for count in (2, 3):
        assert contents(tmp_path / f"cache-{count}") == alone
        assert not list(tmp_path.glob(f"broken-{count}/*/entry.json"))


def test_a_feature_that_is_not_finite_leaves_no_entry(tmp_path: Path, model: Model, make_dataset: MakeDataset) -> None:
    dataset, sound = make_dataset(), model.networks.encoder.features

    def broken(images: torch.Tensor) -> torch.Tensor:
        features = sound(images)
        features[-1, -1] = torch.inf
        return features

    model.networks.encoder.features = broken
    for _ in range(2):
        with pytest.raises(UserError, match="the trained encoder gives features that are not finite"):
            obtain_features(trained_encoder(model), dataset, 16, tmp_path, ALONE)
    model.networks.encoder.features = sound
    directory, was_there = obtain_features(trained_encoder(model), dataset, 16, tmp_path, ALONE)
    assert not was_there
    assert np.isfinite(np.load(directory / "avepool-train.npy")).all()
