from pathlib import Path

import pytest

from components.train.monitoring.log import Log


def write(directory: Path, resumed: int, steps: range) -> None:
    directory.mkdir(exist_ok=True)
    with Log(directory, resumed) as log:
        for step in steps:
            log.write("log.csv", step, {"loss, by term": step / 3, "lr": 0.1})


def test_resuming_cuts_back_to_the_checkpoint(tmp_path: Path) -> None:
    write(tmp_path / "whole", 0, range(1, 7))
    write(tmp_path / "resumed", 0, range(1, 6))
    write(tmp_path / "resumed", 3, range(4, 7))
    assert (tmp_path / "resumed" / "log.csv").read_bytes() == (tmp_path / "whole" / "log.csv").read_bytes()


def test_a_row_that_a_kill_cut_short_is_dropped(tmp_path: Path) -> None:
    write(tmp_path / "whole", 0, range(1, 7))
    write(tmp_path, 0, range(1, 5))
    path = tmp_path / "log.csv"
    path.write_bytes(path.read_bytes()[:-4])
    write(tmp_path, 3, range(4, 7))
    assert path.read_bytes() == (tmp_path / "whole" / "log.csv").read_bytes()


@pytest.mark.parametrize("resumed", [0, 3])
@pytest.mark.parametrize("left", ["", "st", 'step,"loss'])
def test_a_log_that_was_cut_within_its_header_is_begun_anew(tmp_path: Path, left: str, resumed: int) -> None:
    (tmp_path / "log.csv").write_text(left)
    write(tmp_path, resumed, range(resumed + 1, resumed + 3))
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == 'step,"loss, by term",lr'
