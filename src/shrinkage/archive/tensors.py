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


def digest_of(contents: Iterable[bytes]) -> str:
    """BLAKE2b, as 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    for content in contents:
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()


def digest_of_arrays(names: object, arrays: Iterable[NDArray[Any]]) -> str:
    """Of arrays with their shapes and types, and of what `names` says."""
    contents = [repr(names).encode()]
    for array in arrays:
        contents.append(repr((array.shape, array.dtype.str)).encode())
        contents.append(np.ascontiguousarray(array).tobytes())
    return digest_of(contents)
