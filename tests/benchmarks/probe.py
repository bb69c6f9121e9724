"""The whole grid of penalties at once, beside fitting them one by one by a plain SGD loop, in one run.

    python -m tests.benchmarks.probe [images features classes]

Features are made up: classes that overlap, in a few directions of many, ReLU. Ours is `select`, as the step calls it,
reading a memory-mapped file: once as it is, and once chunk by chunk, as at ImageNet's size, where nothing is held.

The plain loop (minibatches of 256, momentum 0.9, cosine schedule, float32, features in memory) is given more than a
person has: of all its learning rates and budgets only the cheapest run counts that is as good as ours on that penalty.
Two ratios are printed: as good by validation accuracy, no more than 0.5 % below ours; and by the objective as well, no
more than 1 % above. A penalty for which no run is as good counts with a longest one, and the ratio is then "at least".
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from components.evaluate_representation import rows
from components.evaluate_representation.probe import Grid, Selection, fit, select, standardise, top_k_hits
from components.evaluate_representation.rows import rows_in
from components.evaluate_representation.views import View

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
RATES = (1.0, 0.3, 0.1)
EPOCHS = (1, 4, 16, 64, 256)
BATCH = 256
OBJECTIVE_MARGIN, ACCURACY_MARGIN = 0.01, 0.005
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Data:
    """Standardised views of train and validation, from files; the same in memory, float32; and the labels."""

    view: View
    train: Tensor
    validation: Tensor
    train_labels: Tensor
    validation_labels: Tensor
    classes: int


@dataclass(frozen=True)
class Run:
    """One plain fit: what it reached and how long it took."""

    rate: float
    epochs: int
    objective: float
    accuracy: float
    seconds: float


def make_data(folder: Path, images: int, features: int, classes: int) -> Data:
    generator = np.random.default_rng(0)
    rank = min(features, 64)
    mixing = generator.normal(size=(rank, features)) / rank**0.5
    centres = 0.6 * generator.normal(size=(classes, rank))
    files, labels = [], []
    for name, count in (("train", images), ("validation", max(500, images // 10)), ("test", 1)):
        own = generator.integers(0, classes, count)
        signal = (centres[own] + generator.normal(size=(count, rank))) @ mixing
        values = np.maximum(signal + 0.3 * generator.normal(size=(count, features)), 0)
        np.save(folder / f"{name}.npy", values.astype(np.float32))
        files.append(np.load(folder / f"{name}.npy", mmap_mode="r"))
        labels.append(torch.tensor(own))
    view = standardise(View(*(rows_in(file, CPU) for file in files)))
    return Data(view, view.train.all().float(), view.validation.all().float(), labels[0], labels[1], classes)


def ours(data: Data) -> tuple[Selection, float]:
    started = time.perf_counter()
    selection = select(
        data.view.train, data.train_labels, data.view.validation, data.validation_labels, PENALTIES, data.classes
    )
    return selection, time.perf_counter() - started


def quality(data: Data, weights: Tensor, bias: Tensor, penalty: float) -> tuple[float, float]:
    """The objective on train, and the accuracy on validation."""
    entropy = F.cross_entropy(F.linear(data.train, weights, bias), data.train_labels)
    hits = top_k_hits(F.linear(data.validation, weights, bias), data.validation_labels, 1)
    return float(entropy + penalty / 2 * weights.square().sum()), float(hits.double().mean())


def plain(data: Data, penalty: float, rate: float, epochs: int) -> Run:
    started = time.perf_counter()
    generator = torch.Generator().manual_seed(0)
    layer = torch.nn.Linear(data.train.shape[1], data.classes)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.SGD(
        [{"params": [layer.weight], "weight_decay": penalty}, {"params": [layer.bias]}], lr=rate, momentum=0.9
    )
    steps = epochs * -(-len(data.train) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(data.train), generator=generator).split(BATCH):
            optimiser.zero_grad()
            F.cross_entropy(layer(data.train[batch]), data.train_labels[batch]).backward()
            optimiser.step()
            schedule.step()
    seconds = time.perf_counter() - started
    with torch.no_grad():
        return Run(rate, epochs, *quality(data, layer.weight, layer.bias, penalty), seconds)


def plain_runs(data: Data, penalty: float, objective: float) -> list[Run]:
    """With every rate, longer and longer until one has the objective."""
    runs: list[Run] = []
    for epochs in EPOCHS:
        runs += [plain(data, penalty, rate, epochs) for rate in RATES]
        if any(run.objective <= objective * (1 + OBJECTIVE_MARGIN) for run in runs):
            break
    return runs


def cheapest(runs: list[Run], good: list[Run]) -> Run:
    """The run that counts: of those that are good the fastest; else of the longest the best."""
    if good:
        return min(good, key=lambda run: run.seconds)
    return min((run for run in runs if run.epochs == runs[-1].epochs), key=lambda run: run.objective)


def compare(data: Data, grid: Grid, seconds: float) -> None:
    print("penalty   objective: ours    plain   validation: ours   plain    plain: rate  epochs  seconds")
    tried = 0.0
    totals, unreached = {"validation": 0.0, "both": 0.0}, {"validation": 0, "both": 0}
    for number, penalty in enumerate(grid.penalties):
        objective, accuracy = quality(data, grid.weights[number].float(), grid.bias[number].float(), penalty)
        runs = plain_runs(data, penalty, objective)
        tried += sum(run.seconds for run in runs)
        good = {"validation": [run for run in runs if run.accuracy >= accuracy - ACCURACY_MARGIN]}
        good["both"] = [run for run in good["validation"] if run.objective <= objective * (1 + OBJECTIVE_MARGIN)]
        for name, own in good.items():
            run = cheapest(runs, own)
            totals[name] += run.seconds
            unreached[name] += not own
        reached = f"{objective:>17.4f} {run.objective:>8.4f} {accuracy:>18.4f} {run.accuracy:>7.4f}"
        cost = f"{run.rate:>14g} {run.epochs:>7} {run.seconds:>8.2f}{'' if good['both'] else '  (not as good)'}"
        print(f"{penalty:<7g} {reached} {cost}")
    for name, what in (("validation", "validation accuracy"), ("both", "validation accuracy and objective")):
        least = "at least " if unreached[name] else ""
        print(f"plain, one by one, as good by {what}: {totals[name]:.2f} s", end="; ")
        print(f"plain / ours: {least}{totals[name] / seconds:.1f}")
    print(f"plain, all rates and budgets that were tried to find these: {tried:.2f} s")


def main() -> None:
    images, features, classes = map(int, sys.argv[1:4] or ("10000", "512", "50"))
    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder), images, features, classes)
        print(f"{images} images × {features} features, {classes} classes, {len(PENALTIES)} penalties", end=", ")
        print(f"{torch.get_num_threads()} threads")
        with mock.patch.object(rows, "_BYTES_ON_CPU", 0), mock.patch.object(rows, "NUMBERS_AT_ONCE", 2**22):
            streamed, seconds = ours(data)
        print(f"ours, chunk by chunk from the file: {streamed.passes} passes, {seconds:.2f} s")
        selection, seconds = ours(data)
        print(f"ours, as the step does it:          {selection.passes} passes, {seconds:.2f} s")
        print(f"selected: {selection.penalty:g} and {streamed.penalty:g}; unconverged: {selection.unconverged}")
        compare(data, fit(data.view.train, data.train_labels, PENALTIES, classes), seconds)


if __name__ == "__main__":
    main()
