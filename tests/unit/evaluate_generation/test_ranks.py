"""On several ranks, whose shares of the images are not even: the numbers of one process."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from components.artifacts.metrics import read_metrics, write_metrics
from components.artifacts.ranks import Ranks
from components.evaluate_generation.evaluate import evaluate
from components.evaluate_generation.sharding import all_rows, share, total
from tests.unit.evaluate_generation.toy import ALONE, PARAMETERS, make_dataset, make_model, make_network
from tests.unit.toy_model import CONFIG

RANKS = 3
# Train and test images: shares of 20, 20 and 21; of 6, 7 and 7; of none, one and one.
CASES = {"uneven": (61, 20), "some without": (61, 2)}


def play(folder: Path, ranks: Ranks) -> None:
    for name, (train, test) in CASES.items():
        for attempt in ("measured", "cached"):
            found = evaluate(
                make_model(CONFIG),
                make_dataset(train, test),
                make_network(),
                replace(PARAMETERS, samples=50),
                ranks,
                cache=folder / "cache",
                imported=None,
            )
            assert (found is not None) == ranks.writes
            if found is not None:
                (folder / name / attempt).mkdir(parents=True)
                write_metrics(folder / name / attempt, found.metrics)


def process(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "store"), RANKS)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=RANKS)
    ranks = Ranks(rank, RANKS, torch.device("cpu"))
    rows = all_rows(torch.arange(7.0)[share(7, ranks)][:, None].expand(-1, 2), ranks)
    assert torch.equal(rows, torch.arange(7.0)[:, None].expand(-1, 2))
    assert total(torch.tensor([rank, 1.0]), ranks).tolist() == [3.0, 3.0]
    play(folder / "together", ranks)
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    mp.start_processes(process, args=(folder,), nprocs=RANKS, start_method="spawn")
    play(folder / "alone", ALONE)
    return folder


@pytest.mark.parametrize("attempt", ["measured", "cached"])
@pytest.mark.parametrize("case", CASES)
def test_the_numbers_are_those_of_one_process(folder: Path, case: str, attempt: str) -> None:
    alone, together = (read_metrics(folder / who / case / attempt) for who in ("alone", "together"))
    assert together.protocol == alone.protocol
    assert together.values == pytest.approx(alone.values, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11])
def test_shares_are_consecutive_and_as_even_as_can_be(count: int) -> None:
    shares = [share(count, Ranks(rank, RANKS, torch.device("cpu"))) for rank in range(RANKS)]
    rows = [list(range(count))[part] for part in shares]
    assert [row for part in rows for row in part] == list(range(count))
    assert max(map(len, rows)) - min(map(len, rows)) <= 1
