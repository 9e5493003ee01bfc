"""The inputs of a large table in a file, for processes of this machine to map instead of copy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shrinkage.data.arrays import Part

Parts = Mapping[int | None, Part]

LEAST = 1 << 26
"""Bytes of inputs from which on they lie in a file."""


class _Mapped(np.memmap[Any, Any]):
    """An array in a file that travels to another process as the file's path."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _opened, (str(self.filename), self.shape)


def _opened(path: str, shape: tuple[int, int]) -> Any:
    # Of the same type to what is compiled as an array in memory; what is written stays private.
    return _Mapped(path, np.float32, "c", shape=shape)


@contextmanager
def mapped(parts: Parts) -> Iterator[Parts]:
    """Parts whose large inputs lie in files of a temporary folder, while the context lasts.

    Parts that share their inputs share a file. The pages of it are in memory once, for however many
    processes that map it.

    Parameters
    ----------
    parts : mapping of int or None to Part
        To be sent to other processes of this machine.

    Yields
    ------
    mapping of int or None to Part
        The same numbers; the very same object when nothing in it is large.
    """
    arrays = {id(part.inputs): part.inputs for part in parts.values()}
    large = {key: array for key, array in arrays.items() if array.nbytes >= LEAST}
    if not large:
        yield parts
        return
    folder = Path(tempfile.mkdtemp(prefix="shrinkage-"))
    try:
        files: dict[int, _Mapped] = {}
        for key, array in large.items():
            path = folder / f"{len(files)}.float32"
            np.ascontiguousarray(array).tofile(path)
            files[key] = _Mapped(path, np.float32, "r", shape=array.shape)

        def moved(part: Part) -> Part:
            return replace(part, inputs=files.get(id(part.inputs), part.inputs))

        yield {fold: moved(part) for fold, part in parts.items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
