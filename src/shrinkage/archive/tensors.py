"""Arrays of numbers as bytes that cannot execute code, and digests of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.archive.records import Unreadable


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as a safetensors file's bytes."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(values) for name, values in arrays.items()}))


def unpacked(content: Any) -> dict[str, NDArray[Any]]:
    """Arrays from the bytes of :func:`packed`, read-only views of them.

    Raises
    ------
    Unreadable
        When they are not such bytes.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not isinstance(content, bytes):
        raise Unreadable("no bytes")
    try:
        return dict(load(content))
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(str(error)) from error


def digest_of(contents: Iterable[bytes | memoryview]) -> str:
    """BLAKE2b, as 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    for content in contents:
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()


class Digests:
    """Digests of arrays with their shapes and types; one that is met twice is read once."""

    def __init__(self) -> None:
        # The arrays too, so that none is freed and its place taken by another.
        self._met: dict[int, tuple[NDArray[Any], str]] = {}

    def of(self, arrays: Iterable[NDArray[Any]], names: object = ()) -> str:
        """Of some arrays in order, and of what `names` says."""
        return digest_of([repr(names).encode(), *(self._one(one).encode() for one in arrays)])

    def _one(self, values: NDArray[Any]) -> str:
        if id(values) not in self._met:
            said = repr((values.shape, values.dtype.str)).encode()
            digest = digest_of([said, np.ascontiguousarray(values).reshape(-1).view(np.uint8).data])
            self._met[id(values)] = values, digest
        return self._met[id(values)][1]
