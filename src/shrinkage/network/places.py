"""Where each array of a network lies in its one flat vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["hidden kernel", "output kernel", "hidden bias", "output bias", "other", "state"]


@dataclass(frozen=True)
class Block:
    """One array inside the flat vector.

    Parameters
    ----------
    layer : int
        Number of its layer, from 1.
    kind : str
        What it is. ``"other"`` is what a network of one's own has beside kernels and biases;
        ``"state"`` is not trained but computed, such as running statistics.
    start : int
        Its first index.
    shape : tuple of int
        Of a kernel (fan-in, fan-out).
    transposed : bool, default False
        Whether the numbers lie in the order of the transposed array, as PyTorch's kernels do.
    label : str, default ""
        What the framework calls it, where that is another than this package.
    """

    layer: int
    kind: Kind
    start: int
    shape: tuple[int, ...]
    transposed: bool = False
    label: str = ""

    @property
    def stop(self) -> int:
        """First index after this block."""
        return self.start + int(np.prod(self.shape))

    @property
    def name(self) -> str:
        """For people: ``"layer 1 kernel"``, ``"output bias"``."""
        if self.label:
            return self.label
        place = "output" if self.kind.startswith("output") else f"layer {self.layer}"
        return f"{place} {self.kind.split()[1]}"

    def of(self, parameters: NDArray[np.floating]) -> NDArray[np.floating]:
        """This block of `parameters` (P,), as a view of shape :attr:`shape`."""
        flat = parameters[self.start : self.stop]
        return flat.reshape(self.shape[::-1]).T if self.transposed else flat.reshape(self.shape)


@dataclass(frozen=True)
class Layout:
    """Where each kernel and bias of a network lies in its flat vector of P numbers.

    Hidden kernels come first, then the output kernel, then the biases, so what a penalty acts on
    is one contiguous range and the optimizer's inner loop needs no mask. A kernel has shape
    (fan-in, fan-out), as in Keras.

    Parameters
    ----------
    blocks : tuple of Block
        In the order in which they lie.
    penalize_output : bool, default False
        Whether penalties act on the output kernel too.
    reach : int or None, default None
        Index at which what is penalized ends, where kinds of arrays do not tell.
    """

    blocks: tuple[Block, ...]
    penalize_output: bool = False
    reach: int | None = None

    @property
    def size(self) -> int:
        """P, the length of the vector."""
        return self.blocks[-1].stop

    @property
    def count(self) -> int:
        """Parameters: all numbers but those that are computed rather than trained."""
        return sum(block.stop - block.start for block in self.blocks if block.kind != "state")

    @property
    def kernels(self) -> tuple[Block, ...]:
        """Kernels from the input to the output."""
        return tuple(block for block in self.blocks if block.kind.endswith("kernel"))

    @property
    def biases(self) -> tuple[Block, ...]:
        """Biases from the first hidden layer to the output."""
        return tuple(block for block in self.blocks if block.kind.endswith("bias"))

    @property
    def penalized(self) -> slice:
        """The range that penalties act on.

        All hidden kernels, and the output kernel when asked for; a linear model's only kernel.
        """
        if self.reach is not None:
            return slice(0, self.reach)
        hidden = [block for block in self.kernels if block.kind == "hidden kernel"]
        last = self.kernels[-1] if self.penalize_output or not hidden else hidden[-1]
        return slice(0, last.stop)
