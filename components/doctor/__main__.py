"""Looks at this machine and says, one line for each thing, whether the workflow can run here, and what to do if not.

Marks: ok; optional (not there or not in use, and only a cluster needs it); warn (works, but see the remedy); fail.
Ends with exit code 1 if anything fails. Needs nothing but Python, so it can be asked before the installation.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  before the imports below, which such a Python cannot read
    found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"fail      Python    {found}: install Python 3.11 or newer, then call make with PYTHON=python3.11")

import argparse
import os
import shutil
from pathlib import Path

from components.artifacts.command import run
from components.artifacts.errors import UserError
from components.doctor import checks, machine
from components.doctor.checks import Item


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m components.doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    items = examine()
    for item in items:
        print(item.line())
    failed = [item.name for item in items if item.mark == "fail"]
    if failed:
        raise UserError(f"mend this first: {', '.join(failed)}; the remedy stands in its line")


def examine() -> list[Item]:
    torch = machine.torch()
    here = Path.cwd()
    return [
        checks.python(tuple(sys.version_info[:3])),
        checks.torch(torch.version, torch.broken, torch.cuda),
        checks.gpu(torch.gpus, machine.ask),
        checks.cpu(machine.cores()),
        checks.memory(machine.memory()),
        checks.disk(shutil.disk_usage(here).free, str(here)),
        checks.git(machine.ask),
        checks.dvc(machine.dvc_program(), machine.ask),
        checks.docker(machine.ask),
        checks.kubectl(machine.ask),
        checks.kfp(os.environ.get("KFP_ENDPOINT"), machine.reach),
    ]


if __name__ == "__main__":
    run(main)
