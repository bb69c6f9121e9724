"""Writes a choice into params.yaml, line by line as a person would: comments and all other lines stay.

    python -m components.compose.choose experiment=images source=/my/images

`dvc repro` then goes by it. (`dvc exp run -S key=value` does the same and keeps the run as an experiment, for which git
must know a name and an e-mail address.)
"""

import argparse
import json
import re
from pathlib import Path

from components.artifacts import command
from components.artifacts.errors import UserError
from components.artifacts.files import write_bytes


def choose(text: str, key: str, value: str) -> str:
    """Sets the top-level `key` in the text of a params.yaml to `value`; adds it at the end if it is not there."""
    line = f"{key}: {json.dumps(value, ensure_ascii=False)}"
    chosen, found = re.subn(rf"^{re.escape(key)}:[^#\n]*", lambda match: _padded(line, match[0]), text, flags=re.M)
    return chosen if found else f"{text.rstrip()}\n{line}\n"


def _padded(line: str, replaced: str) -> str:
    """Keeps the comment behind the value where it was, or at least apart."""
    return line if replaced == replaced.rstrip() else f"{line}  ".ljust(len(replaced))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m components.compose.choose",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("choices", nargs="+", metavar="key=value", help="experiment=NAME, source=PATH, registry=PATH")
    parser.add_argument("--choice", type=Path, default=Path("params.yaml"), metavar="FILE", help="the file to change")
    flags = parser.parse_args()
    try:
        text = flags.choice.read_text()
    except FileNotFoundError:
        raise UserError(f"{flags.choice} does not exist: run this in the folder of the checkout") from None
    for choice in flags.choices:
        key, separator, value = choice.partition("=")
        if not separator or not key.isidentifier():
            raise UserError(f"{choice!r} is not of the form key=value")
        text = choose(text, key, value)
    write_bytes(flags.choice, text.encode())


if __name__ == "__main__":
    command.run(main)
