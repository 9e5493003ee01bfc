"""Channels of a module's tensors: which must stay together, and which always hold one value."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Slots:
    """Numbers for channels; joined ones leave together or not at all.

    Examples
    --------
    >>> slots = Slots()
    >>> one, other = slots.new(3), slots.new(3)
    >>> slots.join(one, other)
    >>> slots.roots(one).tolist() == slots.roots(other).tolist()
    True
    """

    def __init__(self) -> None:
        self._parents: list[int] = []

    def new(self, count: int) -> Indices:
        """That many channels that nothing joins yet."""
        begin = len(self._parents)
        self._parents.extend(range(begin, begin + count))
        return np.arange(begin, begin + count, dtype=np.int64)

    def join(self, one: Indices, other: Indices) -> None:
        """Let these leave together, pair by pair."""
        for first, second in zip(one.tolist(), other.tolist(), strict=True):
            self._parents[self._root(first)] = self._root(second)

    def roots(self, slots: Indices) -> Indices:
        """One number for all that leave together."""
        return np.array([self._root(slot) for slot in slots.tolist()], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._parents)

    def _root(self, slot: int) -> int:
        while self._parents[slot] != slot:
            self._parents[slot] = self._parents[self._parents[slot]]
            slot = self._parents[slot]
        return slot


@dataclass(frozen=True, eq=False)
class Value:
    """What is known of one tensor's channels.

    Parameters
    ----------
    shape : tuple of int
        Of the tensor, its batch included.
    axis : int
        Along which the channels lie.
    slots : ndarray of int64, shape (shape[axis],)
        The channel at each place; one channel of a flattened image has many places.
    constant : ndarray of float64, shape (shape[axis],)
        The value that the channel has for all rows and at all points; NaN where it varies.
    """

    shape: tuple[int, ...]
    axis: int
    slots: Indices
    constant: Floats


@dataclass(frozen=True, eq=False)
class Mixing:
    """A layer in which every output is a weighted sum of all inputs.

    Parameters
    ----------
    name : str
        Of the layer.
    taken, given : Value
        Its input and its output.
    sums : ndarray of float64, shape (outputs, inputs)
        Sum of the weights from one channel into another.
    uses : ndarray of bool, shape (outputs, inputs)
        Whether one of these weights is not zero.
    foldable : ndarray of bool, shape (inputs,)
        Whether what this input adds is the same for all rows and at all points.
    """

    name: str
    taken: Value
    given: Value
    sums: Floats
    uses: Flags
    foldable: Flags

    def folded(self, removed: Flags) -> Floats:
        """What the removed inputs add to each output."""
        constant = np.where(removed & self.foldable, self.taken.constant, 0.0)
        added: Floats = self.sums @ constant
        return added


@dataclass(eq=False)
class Channels:
    """All that is known of a module's channels.

    Parameters
    ----------
    slots : Slots
        Every channel of every tensor.
    mixing : list of Mixing
        In the order of the computation.
    pinned : list of ndarray of int64
        Channels that have to stay.
    notes : list of str
        Why channels stay that could go otherwise, each a sentence.
    """

    slots: Slots = field(default_factory=Slots)
    mixing: list[Mixing] = field(default_factory=list)
    pinned: list[Indices] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def pin(self, value: Value, why: str | None = None) -> None:
        """Keep all channels of a tensor; say why where one of them could have been left out."""
        self.pinned.append(value.slots)
        count = int(np.sum(np.isfinite(value.constant)))
        if why is not None and count:
            channels = "1 channel is constant and stays" if count == 1 else ""
            self.notes.append(f"{channels or f'{count} channels are constant and stay'}: {why}")

    def live(self) -> Flags:
        """For each slot, whether an output depends on it in a way that no bias can stand for.

        Every layer keeps at least one of its inputs and one of its outputs.
        """
        roots = self.slots.roots(np.arange(len(self.slots), dtype=np.int64))
        live = np.zeros(len(roots), dtype=np.bool_)
        for slots in self.pinned:
            live[roots[slots]] = True
        self._spread(live, roots)
        for layer in reversed(self.mixing):
            for slots in (layer.given.slots, layer.taken.slots):
                if not np.any(live[roots[slots]]):
                    live[roots[slots[0]]] = True
                    self._spread(live, roots)
        alive: Flags = live[roots]
        return alive

    def _spread(self, live: Flags, roots: Indices) -> None:
        """What living outputs use lives too."""
        before = -1
        while before != (before := int(live.sum())):
            for layer in reversed(self.mixing):
                out = live[roots[layer.given.slots]]
                used = np.any(layer.uses[out], axis=0) & ~layer.foldable
                live[roots[layer.taken.slots[used]]] = True
