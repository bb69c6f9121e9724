import pytest
import torch

from components.artifacts.ranks import Ranks
from components.train.threads import busy_machine
from tests.unit.train.toy import ALONE


@pytest.mark.parametrize(
    ("cores", "threads", "load", "warns"),
    [(2, 2, 0.5, False), (2, 2, 1.2, True), (2, 1, 5.0, False), (16, 8, 4.0, False), (16, 16, 8.0, True)],
)
def test_it_warns_where_threads_and_load_exceed_the_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, threads: int, load: float, warns: bool
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr("torch.get_num_threads", lambda: threads)
    assert (busy_machine(ALONE) is not None) == warns
    assert busy_machine(Ranks(0, 1, torch.device("cuda"))) is None
