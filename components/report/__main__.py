"""What the workflow has left on disk -> report/index.html: one page to look at, which needs nothing from elsewhere.

It shows the gate's verdict and the decisive numbers, all metrics beside their baselines and floors, pictures, training
curves and signs, the data sheet, the parameters, and the comparison with the champion before. It computes no metric.

The block that ends `make run`, with the same numbers in a few lines, is printed by

    python -m components.report block --registration registration --metrics evaluation/representation ...
"""

import argparse
import sys
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.files import new_directory, write_bytes
from components.report.block import main as print_block
from components.report.evidence import read_evidence
from components.report.page import render

PAGE = "index.html"


def main() -> None:
    if sys.argv[1:2] == ["block"]:
        print_block(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        prog="python -m components.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--registration", type=Path, required=True, metavar="DIR", help="what `register` has decided")
    parser.add_argument("--metrics", type=Path, required=True, nargs="+", metavar="DIR", help="metrics artifacts")
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="what `prepare` made")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="what `train` made")
    parser.add_argument("--params", type=Path, required=True, metavar="FILE", help="resolved.yaml")
    parser.add_argument("--choice", type=Path, metavar="FILE", help="params.yaml, if there is one")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help=f"where {PAGE} is written")
    flags = parser.parse_args()

    evidence = read_evidence(flags.registration, flags.metrics, flags.dataset, flags.model, flags.params, flags.choice)
    page = render(evidence).encode()
    with new_directory(flags.output, known_by=PAGE) as directory:
        write_bytes(directory / PAGE, page)
    print(f"{flags.output / PAGE}  ({len(page) / 1e6:.1f} MB)")


if __name__ == "__main__":
    run(main)
