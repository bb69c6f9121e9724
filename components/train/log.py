"""The training log: one CSV with a row per logged step, and the same curves for TensorBoard.

Both are cut back to the step that training resumes from, so that a run that was killed leaves the same rows as one
that was not.
"""

import csv
import io
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from components.artifacts.files import write_bytes


class Log:
    """Appends rows of numbers to `<directory>/log.csv` and to `<directory>/tensorboard/`."""

    def __init__(self, directory: Path, resumed_step: int) -> None:
        self.path = directory / "log.csv"
        self._cut_back(resumed_step)
        self._curves = SummaryWriter(str(directory / "tensorboard"), purge_step=resumed_step + 1)

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._curves.close()

    def write(self, step: int, numbers: dict[str, float]) -> None:
        """Adds the numbers of a finished step, counted from 1."""
        is_new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, ["step", *numbers])
            if is_new:
                writer.writeheader()
            writer.writerow({"step": step} | {name: f"{value:.6g}" for name, value in numbers.items()})
        for name, value in numbers.items():
            self._curves.add_scalar(name, value, step)

    def _cut_back(self, step: int) -> None:
        if step == 0 or not self.path.exists():
            self.path.unlink(missing_ok=True)
            return
        with self.path.open(newline="") as file:
            header, *rows = csv.reader(file)
        # A kill may have cut the last row short, even within its step's number.
        kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
        text = io.StringIO()
        csv.writer(text).writerows([header, *kept])
        write_bytes(self.path, text.getvalue().encode())
