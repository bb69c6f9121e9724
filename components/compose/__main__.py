"""params.yaml + params/ -> resolved.yaml. Composes an experiment and what differs from it, and checks the result.

By hand, with overrides in the place of params.yaml:

    python -m components.compose experiment=digits train.lr=0.0005 --output resolved.yaml
    python -m components.compose --list
"""

import argparse
import sys
from pathlib import Path

from components.artifacts import command
from components.artifacts.files import write_bytes
from components.compose.choice import read_choice
from components.compose.compose import compose, experiments, to_yaml


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.compose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="experiment=NAME, group=option or key=value")
    parser.add_argument("--choice", type=Path, metavar="FILE", help="params.yaml; the overrides come on top of it")
    parser.add_argument("--params-directory", type=Path, default=Path("params"), metavar="DIR", help="the options")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write; the screen, if it is not given")
    parser.add_argument("--list", action="store_true", help="list the experiments and end")
    flags = parser.parse_args()
    if flags.list:
        found = experiments(flags.params_directory)
        for name, purpose in found.items():
            print(f"{name.ljust(max(map(len, found)))}  {purpose}")
        return
    choice = read_choice(flags.choice) if flags.choice else []
    text = to_yaml(compose(flags.params_directory, choice + flags.overrides))
    if flags.output:
        write_bytes(flags.output, text.encode())
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    command.run(main)
