import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from torch import nn

from components.artifacts.model import Model
from components.evaluate_representation.cache import obtain, weights_hash
from components.evaluate_representation.networks import obtain_features, trained_encoder
from tests.unit.evaluate_representation.alone import ALONE

IDENTITY = {"network": "abc", "dataset": "1"}


def write(directory: Path) -> None:
    np.save(directory / "train.npy", np.arange(12, dtype=np.float32).reshape(4, 3))
    np.save(directory / "test.npy", np.ones((2, 3), np.float32))


def fail(directory: Path) -> None:
    raise AssertionError("written although it is there")


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    directory, was_there = obtain(tmp_path, "encoder", IDENTITY, write, ALONE)
    assert not was_there
    return directory


def test_what_is_there_is_taken(tmp_path: Path, entry: Path) -> None:
    assert obtain(tmp_path, "encoder", dict(IDENTITY), fail, ALONE) == (entry, True)
    assert np.load(entry / "train.npy", mmap_mode="r").sum() == 66


@pytest.mark.parametrize("identity", [{"network": "abc", "dataset": "2"}, {"network": "abd", "dataset": "1"}])
def test_another_network_or_dataset_is_another_entry(tmp_path: Path, entry: Path, identity: dict[str, str]) -> None:
    directory, was_there = obtain(tmp_path, "encoder", identity, write, ALONE)
    assert not was_there
    assert directory != entry
    assert obtain(tmp_path, "encoder", IDENTITY, fail, ALONE)[1]


def lose_the_last(entry: Path) -> None:
    (entry / "entry.json").unlink()


def truncate(entry: Path) -> None:
    os.truncate(entry / "train.npy", 100)


def lose_a_file(entry: Path) -> None:
    (entry / "test.npy").unlink()


def tear_the_last(entry: Path) -> None:
    (entry / "entry.json").write_text('{"identity": ')


def rename(entry: Path) -> None:
    content = json.loads((entry / "entry.json").read_text())
    content["identity"]["dataset"] = "2"
    (entry / "entry.json").write_text(json.dumps(content))


@pytest.mark.parametrize("damage", [lose_the_last, truncate, lose_a_file, tear_the_last, rename])
def test_a_torn_entry_is_never_taken(tmp_path: Path, entry: Path, damage: Callable[[Path], None]) -> None:
    damage(entry)
    again, was_there = obtain(tmp_path, "encoder", IDENTITY, write, ALONE)
    assert (again, was_there) == (entry, False)
    assert obtain(tmp_path, "encoder", IDENTITY, fail, ALONE)[1]


def test_leftovers_of_a_killed_run_are_no_part_of_the_next(tmp_path: Path, entry: Path) -> None:
    lose_the_last(entry)
    np.save(entry / "old-train.npy", np.ones(3))
    obtain(tmp_path, "encoder", IDENTITY, write, ALONE)
    assert {path.name for path in entry.glob("*.npy")} == {"train.npy", "test.npy"}


def test_a_run_that_fails_leaves_no_entry(tmp_path: Path) -> None:
    def fall(directory: Path) -> None:
        write(directory)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        obtain(tmp_path, "encoder", IDENTITY, fall, ALONE)
    assert not obtain(tmp_path, "encoder", IDENTITY, write, ALONE)[1]


def test_of_two_runs_that_want_the_same_one_waits_for_the_other(tmp_path: Path) -> None:
    started, go_on = Event(), Event()

    def write_slowly(directory: Path) -> None:
        started.set()
        assert go_on.wait(60)
        write(directory)

    # The lock is of an open file: between threads it holds as between processes.
    with ThreadPoolExecutor(2) as runs:
        first = runs.submit(obtain, tmp_path, "encoder", IDENTITY, write_slowly, ALONE)
        assert started.wait(60)
        second = runs.submit(obtain, tmp_path, "encoder", IDENTITY, fail, ALONE)
        finished, _ = wait([second], timeout=0.3)
        go_on.set()
        assert not finished
        assert (first.result()[1], second.result()[1]) == (False, True)


def test_the_hash_of_a_network_is_that_of_its_weights_and_buffers() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    first = weights_hash(network)
    assert weights_hash(network) == first
    network[1].running_mean[1] += 1e-6
    second = weights_hash(network)
    network[0].weight.data[0, 0] *= 1.001
    assert len({first, second, weights_hash(network)}) == 3


def test_other_weights_are_not_given_the_features_of_these(
    tmp_path: Path, model: Model, make_dataset: Callable[..., object]
) -> None:
    dataset = make_dataset()
    one, _ = obtain_features(trained_encoder(model), dataset, 16, tmp_path, ALONE)
    assert obtain_features(trained_encoder(model), dataset, 8, tmp_path, ALONE) == (one, True)
    next(model.networks.encoder.parameters()).data.mul_(1.5)
    other, was_there = obtain_features(trained_encoder(model), dataset, 16, tmp_path, ALONE)
    assert not was_there
    assert not np.allclose(np.load(one / "avepool-test.npy"), np.load(other / "avepool-test.npy"))
