"""One number for a whole data set: names, arrays and folds."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import Part, TestSet


def fingerprint(names: tuple[Any, ...], parts: Iterable[Part], test: TestSet) -> str:
    """BLAKE2b over names and arrays, in a fixed order, as 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    digest.update(repr(names).encode())
    arrays: list[NDArray[Any]] = [test.inputs, test.targets, test.weights]
    shared: NDArray[Any] | None = None
    for part in parts:
        # What parts share is read once; it says nothing new.
        if part.shares and part.inputs is shared:
            arrays += [part.shift, part.stretch, part.targets, part.weights]
        else:
            arrays += [part.inputs, part.targets, part.weights]
        arrays += [part.train, part.validation]
        shared = part.inputs
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
