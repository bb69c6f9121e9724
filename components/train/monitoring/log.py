"""Writes the training log: CSV files with a row per logged step, and the same curves for TensorBoard.

    <directory>/*.csv         see `components.artifacts.training_log`
    <directory>/tensorboard/

All are cut back to the step that training resumes from, so that a run that was killed leaves the same rows as one
that was not.
"""

import csv
import io
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from components.artifacts.files import write_bytes
from components.artifacts.training_log import FILES


class Log:
    """Appends rows of numbers to the files above."""

    def __init__(self, directory: Path, resumed_step: int) -> None:
        self.directory = directory
        for name in FILES:
            _cut_back(directory / name, resumed_step)
        self._curves = SummaryWriter(str(directory / "tensorboard"), purge_step=resumed_step + 1)

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._curves.close()

    def write(self, name: str, step: int, numbers: dict[str, float]) -> None:
        """Adds the numbers of a finished step, counted from 1, to the file `name`."""
        path = self.directory / name
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, ["step", *numbers])
            if is_new:
                writer.writeheader()
            writer.writerow({"step": step} | {key: f"{value:.6g}" for key, value in numbers.items()})
        for key, value in numbers.items():
            self._curves.add_scalar(key, value, step)


def _cut_back(path: Path, step: int) -> None:
    if step == 0 or not path.exists():
        path.unlink(missing_ok=True)
        return
    if b"\n" not in path.read_bytes():  # not even the header is whole
        path.unlink()
        return
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    # A kill may have cut the last row short, even within its step's number.
    kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
    text = io.StringIO()
    csv.writer(text).writerows([header, *kept])
    write_bytes(path, text.getvalue().encode())
