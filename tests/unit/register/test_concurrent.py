"""Several writers on one disk: one record per number, no version lost, one chain of champions."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

from components.artifacts.parameters import Register
from components.register.candidate import read_candidate
from components.register.registration import register_model
from components.register.registry import Registry

WRITERS = 8
GATE = Register(
    "toy", {"linear_top1_bn_crelu_test": {"at_least": 0.5, "at_most": None, "better_than_champion": "higher"}}
)


def write(root: Path, folder: Path, barrier: Any) -> None:
    candidate = read_candidate(
        GATE,
        folder / "model",
        root / "dataset",
        [folder / "representation", folder / "generation"],
        root / "resolved.yaml",
        remeasured=None,
        run_id=None,
    )
    barrier.wait()
    register_model(Registry(root / "registry"), candidate, GATE, {"revision": None, "dirty": None}, None)


def race(root: Path, folders: list[Path]) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(folders))
    writers = [context.Process(target=write, args=(root, folder, barrier)) for folder in folders]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * len(folders)


def test_eight_models_at_once_give_dense_versions_and_an_ascending_chain(workplace: Any) -> None:
    accuracies = {f"m{n}": 0.6 + 0.03 * n for n in range(WRITERS)}
    race(workplace.root, [workplace.candidate(name, accuracy) for name, accuracy in accuracies.items()])
    registry = Registry(workplace.registry)
    versions = registry.versions()
    assert versions == list(range(1, len(versions) + 1))
    records = registry.champion_records()
    assert list(records) == list(range(1, len(records) + 1))
    crowned = [record["version"] for record in records.values()]
    assert [record["previous"] for record in records.values()] == [None, *crowned[:-1]]
    scores = [
        json.loads((registry.directory(v) / "metrics/representation/metrics.json").read_text())[
            "linear_top1_bn_crelu_test"
        ]
        for v in crowned
    ]
    assert scores == sorted(set(scores))
    assert scores[-1] == max(accuracies.values())
    runs = {registry.entry(version)["run_id"] for version in versions}
    assert len(runs) == len(versions)
    winners = {record["run_id"] for record in records.values()}
    losers = {name.removesuffix(".json") for name in workplace.names("refusals")}
    assert len(winners | losers) == len(winners) + len(losers) == WRITERS
    assert winners <= runs
    left = workplace.names("versions") + workplace.names("aliases", "champion") + workplace.names("refusals")
    assert not [name for name in left if name.startswith(".")]


def test_one_run_started_eight_times_at_once_makes_one_version(workplace: Any) -> None:
    race(workplace.root, [workplace.candidate("a", 0.9)] * WRITERS)
    registry = Registry(workplace.registry)
    assert registry.versions() == [1]
    assert [record["version"] for record in registry.champion_records().values()] == [1]
    assert workplace.names("refusals") == []
