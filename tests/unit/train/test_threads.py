import pytest

from components.train.threads import busy_machine


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
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert (busy_machine() is not None) == warns
