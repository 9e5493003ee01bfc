"""A network without its dead units and unused inputs: smaller, with the same outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.engine.pool import predict
from shrinkage.network import Network, layout

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Compacted:
    """What is left of a network.

    Parameters
    ----------
    network : Network
        Its shape now.
    parameters : ndarray of float32, shape (P,)
        Its numbers now, in the order of :func:`shrinkage.network.layout`.
    inputs : ndarray of int64, shape (network.inputs,)
        Columns of the original inputs that it still takes, rising.
    original : Network
        The shape before.

    Examples
    --------
    >>> network = Network(inputs=3, hidden=(4,))
    >>> parameters = np.zeros(layout(network).size, dtype=np.float32)
    >>> layout(network).kernels[0].of(parameters)[1, 2] = 1.0  # input 1 into unit 2
    >>> layout(network).kernels[1].of(parameters)[2] = 1.0
    >>> small = compact(network, parameters)
    >>> str(small.network), small.inputs.tolist(), small.before, small.after
    ('1-1-1 (relu)', [1], 21, 4)
    """

    network: Network
    parameters: NDArray[np.float32]
    inputs: NDArray[np.int64]
    original: Network

    @property
    def before(self) -> int:
        """Parameters of the original network."""
        return layout(self.original).size

    @property
    def after(self) -> int:
        """Parameters that are left."""
        return int(self.parameters.size)

    @property
    def units(self) -> tuple[tuple[int, int], ...]:
        """For each hidden layer, the units that are left and those that there were."""
        return tuple(zip(self.network.hidden, self.original.hidden, strict=True))


def compact(network: Network, parameters: NDArray[np.float32]) -> Compacted:
    """Remove every unit that cannot change the outputs, and every input that is not looked at.

    A unit whose incoming weights are all zero is a constant, activation(bias), which moves into
    the biases of the next layer. A unit whose outgoing weights are all zero is left out. Removing
    one can make another removable, so this goes on until nothing changes. Every layer keeps at
    least one unit and the network at least one input, with weights of zero if need be, so that a
    network remains.

    Parameters
    ----------
    network : Network
        The shape.
    parameters : ndarray of float32, shape (P,)
        Its numbers; not written to.

    Returns
    -------
    Compacted
        With the same outputs, up to the rounding of float32.
    """
    places = layout(network)
    kernels = [block.of(parameters).astype(np.float64) for block in places.kernels]
    biases = [block.of(parameters).astype(np.float64) for block in places.biases]
    changed = True
    while changed:
        removed = [
            _remove_units(network.activation, kernels, biases, layer)
            for layer in range(len(kernels) - 1)
        ]
        changed = any(removed)
    inputs = _at_least_one(np.any(kernels[0] != 0, axis=1))
    kernels[0] = kernels[0][inputs]
    smaller = replace(
        network,
        inputs=int(inputs.size),
        hidden=tuple(int(kernel.shape[1]) for kernel in kernels[:-1]),
    )
    flat = np.concatenate([array.ravel() for array in (*kernels, *biases)])
    return Compacted(smaller, flat.astype(np.float32), inputs, network)


def _remove_units(activation: str, kernels: list[Floats], biases: list[Floats], layer: int) -> bool:
    """Remove what can be removed of one hidden layer (from 0); whether anything was."""
    incoming, outgoing = kernels[layer], kernels[layer + 1]
    constant = np.all(incoming == 0, axis=0)
    # In double precision: the sum of many constants is rounded once, when all is done.
    biases[layer + 1] = (
        biases[layer + 1] + _activated(activation, biases[layer][constant]) @ outgoing[constant]
    )
    outgoing = np.where(constant[:, None], 0.0, outgoing)
    kept = _at_least_one(np.any(outgoing != 0, axis=1))
    kernels[layer], kernels[layer + 1] = incoming[:, kept], outgoing[kept]
    biases[layer] = biases[layer][kept]
    return bool(kept.size < constant.size)


def _activated(activation: str, values: Floats) -> Floats:
    """The activation of each value, as the engine itself computes it."""
    if not values.size:
        return values
    probe = Network(inputs=1, hidden=(1,), activation=activation)
    weights = np.array([1, 1, 0, 0], dtype=np.float32)
    column = values[:, None].astype(np.float32)
    return predict(probe, weights, column, "mean_squared_error")[:, 0].astype(np.float64)


def _at_least_one(alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Indices of those that are alive; the first one where none is."""
    kept = np.flatnonzero(alive).astype(np.int64)
    return kept if kept.size else np.zeros(1, dtype=np.int64)
