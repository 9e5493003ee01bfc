"""Digests of arrays, and of all that a training sees of a table: equal digests, equal fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import Data, Part
from shrinkage.data.put_away import let_go


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

    def part(self, part: Part) -> str:
        """Of all that a training sees of a part."""
        arrays: list[NDArray[Any]] = [part.inputs, part.targets, part.weights]
        arrays += [part.train, part.validation]
        if part.shares:
            arrays += [part.shift, part.stretch]
        return self.of(arrays, part.columns)

    def _one(self, values: NDArray[Any]) -> str:
        if id(values) not in self._met:
            said = repr((values.shape, values.dtype.str)).encode()
            digest = digest_of([said, np.ascontiguousarray(values).reshape(-1).view(np.uint8).data])
            self._met[id(values)] = values, digest
            let_go(values)
        return self._met[id(values)][1]


_KNOWN: WeakKeyDictionary[Data, Mapping[int | None, str]] = WeakKeyDictionary()


def digests_of(data: Data) -> Mapping[int | None, str]:
    """Of each fold, and of every training row under None, which comes first.

    Computed once for each table.
    """
    if data not in _KNOWN:
        digests = Digests()
        known = {fold: digests.part(part) for fold, part in data.by_fold.items()}
        _KNOWN[data] = MappingProxyType(known)
    return _KNOWN[data]
