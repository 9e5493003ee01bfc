"""Arrays in files of their own: the same numbers, in memory only while they are looked at."""

from __future__ import annotations

import mmap
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shrinkage.data import put_away as module
from shrinkage.data.put_away import give_back, let_go, put_away


@pytest.fixture
def numbers() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((20_000, 300), dtype=np.float32)


def _resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * mmap.PAGESIZE


needs_statm = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what of a process is in memory"
)


def test_numbers_are_the_same_and_of_the_same_type(numbers: NDArray[np.float32]) -> None:
    there = put_away(numbers)
    assert type(there) is np.ndarray
    assert there.flags.writeable  # to what is compiled the same as in memory
    np.testing.assert_array_equal(there, numbers)
    let_go(there[5:])
    np.testing.assert_array_equal(there, numbers)
    rows = np.arange(5, 20_000, 7)
    np.testing.assert_array_equal(put_away(there, rows), numbers[rows])
    np.testing.assert_array_equal(put_away(rows), rows)
    assert put_away(rows).dtype == np.int64
    assert put_away(rows[:0]).size == 0


def test_nothing_is_left_in_the_folder(
    numbers: NDArray[np.float32], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    there = put_away(numbers)
    del there
    assert not list(tmp_path.iterdir())


@needs_statm
def test_what_was_read_leaves_memory(numbers: NDArray[np.float32]) -> None:
    there = put_away(numbers)
    size, before = numbers.nbytes, _resident()
    there.sum()
    assert _resident() - before > 0.8 * size
    let_go(there[100:, 3])
    assert _resident() - before < 0.2 * size


@needs_statm
def test_rows_of_a_file_are_put_away_without_reading_all(
    numbers: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 256)
    there = put_away(numbers)
    before = _resident()
    put_away(there, np.arange(0, 20_000, 2))
    assert _resident() - before < 0.4 * numbers.nbytes


def test_without_room_it_stays_in_memory(
    numbers: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", full)
    assert put_away(numbers) is numbers
    np.testing.assert_array_equal(put_away(numbers, np.array([3, 5])), numbers[[3, 5]])


@needs_statm
def test_freed_memory_goes_back() -> None:
    def scattered() -> list[NDArray[np.float64]]:
        return [np.ones(12_000) for _ in range(1_000)][1::50]

    kept = scattered()
    before = _resident()
    give_back()
    assert before - _resident() > 50e6
    assert len(kept) == 20
