"""Arrays of numbers as bytes that cannot execute code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.archive.records import Unreadable

_LENGTH = 8
"""Bytes that say how long a header is."""
_LONGEST = 4096
"""Bytes of a header that is worth remembering; those of fits have two hundred."""


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as a safetensors file's bytes."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(values) for name, values in arrays.items()}))


def unpacked(content: Any) -> dict[str, NDArray[Any]]:
    """Arrays from the bytes of :func:`packed`, which share a copy of them.

    Raises
    ------
    Unreadable
        When they are not such bytes.
    """
    if type(content) is not bytes:
        raise Unreadable("no bytes")
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    if start > _LONGEST:
        return _loaded(content)
    known = _places(content[:start], len(content))
    if known is None:
        return _loaded(content)
    buffer = bytearray(content)  # whose arrays can be written, like those of a training
    return {name: np.ndarray(shape, dtype, buffer, begin) for name, shape, dtype, begin in known}


class _Place(NamedTuple):
    """Where an array lies in a file's bytes."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int


@lru_cache(maxsize=1024)
def _places(header: bytes, size: int) -> tuple[_Place, ...] | None:
    """Where the arrays lie in files of this size that begin like this.

    Ten thousand fits have a handful of headers between them, so each is checked and parsed once.
    None where only a whole file tells: arrays that begin between two numbers of theirs.
    """
    found = _loaded(header + bytes(max(size - len(header), 0)))
    said = json.loads(header[_LENGTH:])
    places = tuple(
        _Place(name, values.shape, values.dtype, len(header) + said[name]["data_offsets"][0])
        for name, values in found.items()
    )
    return places if all(one.start % one.dtype.itemsize == 0 for one in places) else None


def _loaded(content: bytes) -> dict[str, NDArray[Any]]:
    """Arrays, by safetensors, which checks that their places are inside and do not overlap."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(content))
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(str(error)) from error
