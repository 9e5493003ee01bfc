"""Arrays in temporary files, which take memory only while they are looked at."""

from __future__ import annotations

import ctypes
import mmap
import sys
import tempfile
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)

_ROWS_AT_ONCE = 1 << 13


def put_away(values: NDArray[Kind], rows: NDArray[np.int64] | None = None) -> NDArray[Kind]:
    """The same numbers, or some rows of them, in a file without a name that goes with the array.

    Parameters
    ----------
    values : ndarray, shape (rows,) or (rows, columns)
        In memory, or put away before.
    rows : ndarray of int64, optional
        Which; all by default.

    Returns
    -------
    ndarray
        Read when it is looked at; not to be written to. In memory where a file has no room.
    """
    shape = (len(values) if rows is None else len(rows), *values.shape[1:])
    if not np.prod(shape):
        return values if rows is None else values[rows]
    try:
        with tempfile.TemporaryFile(prefix="shrinkage-") as file:
            for start in range(0, len(values) if rows is None else len(rows), _ROWS_AT_ONCE):
                piece = slice(start, start + _ROWS_AT_ONCE)
                (values[piece] if rows is None else values[rows[piece]]).tofile(file)
                let_go(values)
            file.flush()
            # As writable as an array in memory, so that what is compiled for that takes it too.
            return np.asarray(np.memmap(file, values.dtype, "c", shape=shape))
    except OSError:
        return values if rows is None else values[rows]


def let_go(values: NDArray[Any]) -> None:
    """Let what was read of an array that was put away leave memory, until it is looked at again.

    Parameters
    ----------
    values : ndarray
        It, or a view of it; nothing happens to arrays in memory.
    """
    base: object = values
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def give_back() -> None:
    """Give the system back what was freed, where the C library else keeps it for what comes."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
