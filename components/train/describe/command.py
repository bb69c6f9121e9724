"""Prints what a configuration would train: the layers of each network, FLOPs of a step, memory of a process.

Nothing is trained and no number computed: seconds, whatever the size. Memory and FLOPs are those of the operations
that training would run, forward and backward, counted one by one.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from components.artifacts.errors import UserError
from components.artifacts.parameters import Recipe, load_together
from components.train.describe.describe import describe
from components.train.describe.table import as_text


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.train describe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, required=True, metavar="FILE", help="resolved.yaml")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="that share the batch; 1 if not given")
    parser.add_argument("--depth", type=int, default=2, metavar="N", help="of the layers listed; 2 if not given")
    parser.add_argument("--json", action="store_true", help="the same as JSON, sizes in bytes")
    flags = parser.parse_args(arguments)
    for name in ("processes", "depth"):
        if getattr(flags, name) < 1:
            raise UserError(f"--{name} is {getattr(flags, name)}; allowed: 1 or more")
    description = describe(load_together(flags.params, Recipe), flags.processes, flags.depth)
    print(json.dumps(asdict(description), indent=2) if flags.json else as_text(description))
