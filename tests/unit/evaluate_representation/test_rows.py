import numpy as np
import pytest
import torch

from components.evaluate_representation import rows as module
from components.evaluate_representation.rows import moments, rows_in, rows_of
from tests.unit.evaluate_representation.alone import CPU

TENSOR = torch.randn(23, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("rows_at_once", [1, 4, 23, 100])
def test_chunks_are_all_rows_in_order_whatever_their_size(rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 5 * rows_at_once)
    found = list(rows_of(TENSOR).chunks())
    assert max(len(chunk) for _, chunk in found) == min(rows_at_once, 23)
    assert torch.equal(torch.cat([chunk for _, chunk in found]), TENSOR)
    assert all(torch.equal(TENSOR[part], chunk) for part, chunk in found)


def test_chunks_are_smaller_where_more_numbers_are_made_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 40)
    assert {len(chunk) for _, chunk in rows_of(TENSOR[:20]).chunks(numbers_a_row=10)} == {4}


def test_no_more_is_read_than_a_chunk_and_the_one_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 10)
    read: list[int] = []

    def note(chunk: torch.Tensor) -> torch.Tensor:
        read.append(len(chunk))
        return chunk

    for number, (_, chunk) in enumerate(rows_of(TENSOR).then(note, 5).chunks()):
        assert len(chunk) <= 2
        assert len(read) <= number + 2


def test_a_change_and_a_choice_of_rows_are_made_while_reading() -> None:
    changed = rows_of(TENSOR).then(lambda rows: rows[:, :2] * 2, 2).at(np.array([5, 0, 5]))
    assert (len(changed), changed.width) == (3, 2)
    assert torch.equal(changed.all(), TENSOR[[5, 0, 5], :2] * 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16"])
def test_rows_of_a_file_are_float32(tmp_path, dtype: str) -> None:
    array = (np.arange(12).reshape(4, 3) / 2).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    rows = rows_in(np.load(tmp_path / "x.npy", mmap_mode="r"), CPU)
    assert rows.all().dtype == torch.float32
    np.testing.assert_array_equal(rows.at(np.array([3, 1])).all(), array[[3, 1]].astype(np.float32))


@pytest.mark.parametrize("rows_at_once", [1, 3, 100])
def test_moments_do_not_depend_on_the_chunks(rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 5 * rows_at_once)
    shifted = TENSOR.double() + torch.tensor([0.0, 1e4, -3.0, 0.0, 0.0])
    shifted[:, 4] = 0.1
    found = moments(rows_of(shifted))
    torch.testing.assert_close(found.mean, shifted.mean(0))
    torch.testing.assert_close(found.variance, shifted.var(0, correction=0), rtol=1e-9, atol=1e-12)
    assert found.constant.tolist() == [False, False, False, False, True]
