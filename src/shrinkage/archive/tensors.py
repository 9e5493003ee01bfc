"""Arrays of numbers as bytes that cannot execute code."""

from __future__ import annotations

from collections.abc import Mapping
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
