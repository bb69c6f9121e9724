"""Preparing fast: in one process, and without the data sheet, which `test_data_sheet.py` draws."""

import pytest

from components.prepare import build, write


@pytest.fixture(autouse=True)
def no_data_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "draw_data_sheet", lambda manifest, picture: picture.write_bytes(b"drawn"))


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes longer than decoding a few images; those tests that are about them ask for two."""
    monkeypatch.setattr(write, "available_cores", lambda: 1)
