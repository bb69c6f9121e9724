"""The training log, as the model artifact keeps it beside the weights: what was logged, and which signs were seen.

    <model>/log.csv         losses, scores and gradient norms; a row per logged step
    <model>/drift.csv       how far the samples are from the train images, how diverse; layers' singular values
    <model>/inversion.csv   what is left of images after G(E(x)) and of latents after E(G(z)); none without an encoder
    <model>/signs.json      [{step, sign}]: what looked wrong when, and what to try; empty, if nothing did

Each CSV file has a column `step`, counted from 1, and columns of finite numbers.
"""

import csv
from pathlib import Path

FILES = ("log.csv", "drift.csv", "inversion.csv")
SIGNS = "signs.json"


def read_log(path: Path) -> list[dict[str, float]]:
    """The rows of one of the CSV files, by column; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
