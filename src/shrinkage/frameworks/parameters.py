"""What each parameter of a network of the user's own is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["hidden kernel", "output kernel", "bias", "normalization", "embedding", "other"]

KINDS: tuple[Kind, ...] = (
    "hidden kernel",
    "output kernel",
    "bias",
    "normalization",
    "embedding",
    "other",
)


@dataclass(frozen=True)
class Parameter:
    """One array of a network, counted once however many layers share it.

    Parameters
    ----------
    name : str
        As its framework calls it: ``"features.0.weight"``, ``"dense_1/kernel"``.
    kind : str
        One of :data:`KINDS`. ``"other"`` is what no rule knows: a scale of an activation, a
        position code, an array of a layer of one's own.
    layer : str
        Name of the layer that it belongs to; empty for the network itself.
    layer_type : str
        Class of that layer: ``"Conv2d"``.
    shape : tuple of int
        As the framework has it.
    trainable : bool
        Whether training moves it.
    shared : tuple of str, default ()
        Other names of the same array (tied weights).
    also_in : tuple of str, default ()
        Other layers that have it.
    """

    name: str
    kind: Kind
    layer: str
    layer_type: str
    shape: tuple[int, ...]
    trainable: bool
    shared: tuple[str, ...] = ()
    also_in: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Numbers in it."""
        count = 1
        for side in self.shape:
            count *= side
        return count
