"""A network without what is constant or leads nowhere, to make passes over what is left of it.

Unlike :func:`shrinkage.compact.compact` it knows its way back: what is left of the parameters has
its places in the whole vector, and what is left out stays there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shrinkage.engine import activations, kernel
from shrinkage.engine.objective import Floats, Mask
from shrinkage.network import Network, layout


@dataclass(frozen=True, eq=False)
class Reduction:
    """What is left of a network.

    Parameters
    ----------
    network : Network
        Its shape.
    kept : ndarray of int64, shape (p,)
        Where its parameters lie in the whole vector, in the order of its own layout.
    shift : ndarray of float64, shape (p,)
        What constant units add to its biases.
    inputs : ndarray of int64, shape (network.inputs,)
        The columns that it takes.
    """

    network: Network
    kept: np.ndarray[tuple[int], np.dtype[np.int64]]
    shift: Floats
    inputs: np.ndarray[tuple[int], np.dtype[np.int64]]

    def of(self, whole: Floats) -> Floats:
        """The parameters of the smaller network, (p,)."""
        return whole[self.kept] + self.shift

    def into(self, whole: Floats, small: Floats) -> Floats:
        """A copy of the whole vector with other parameters for the smaller network."""
        found = whole.copy()
        found[self.kept] = small - self.shift
        return found


def reduce_network(
    network: Network, parameters: Floats, entering: Mask, *, settle: bool
) -> tuple[Floats, Reduction]:
    """Leave out constant units, units that lead nowhere and inputs that are not looked at.

    Parameters
    ----------
    network : Network
        The whole.
    parameters : ndarray of float64, shape (P,)
        Of the whole; not written to.
    entering : ndarray of bool, shape (P,)
        Zeros that are to count as if they were not zero.
    settle : bool
        Whether weights that the penalty acts on and that make no difference become zero: those
        out of constant units, which biases take over, and those into units that lead nowhere.

    Returns
    -------
    parameters : ndarray of float64, shape (P,)
        With the same outputs.
    reduction : Reduction
        The whole, where a layer would lose all its units.
    """
    places, x = layout(network), parameters.copy()
    kernels = [block.of(x) for block in places.kernels]
    biases = [block.of(x) for block in places.biases]
    counts = (x != 0.0) | entering
    used = [counts[block.start : block.stop].reshape(block.shape) for block in places.kernels]
    # As if inputs were units: one that is not looked at leads nowhere.
    constant = [np.zeros(network.inputs, dtype=bool)]
    for mask in used[:-1]:
        constant.append(~mask[~constant[-1]].any(axis=0))
    idle = [np.zeros(network.outputs, dtype=bool)]
    for mask in reversed(used):
        idle.insert(0, ~mask[:, ~idle[0]].any(axis=1))
    if any((still | lost).all() for still, lost in zip(constant, idle)):
        # The outputs are the same for every row, and nothing would be left to go on with.
        return x, _whole(network)
    shifts = [np.zeros(size) for size in network.sizes[1:]]
    for layer, (weights, block) in enumerate(zip(kernels, places.kernels)):
        penalized = settle and block.stop <= places.penalized.stop
        if layer:
            bias = biases[layer - 1] + shifts[layer - 1]
            values = kernel.activated(activations.CODES[network.activation], bias)
            held = constant[layer]
            # Not a matrix product: the bits of those depend on a library's threads.
            added = (values[held, None] * weights[held]).sum(axis=0)
            if penalized:
                biases[layer][:] += added
                weights[held] = 0.0
            else:
                shifts[layer] = added
        if penalized and layer < len(network.hidden):
            weights[:, idle[layer + 1]] = 0.0
    live = [np.flatnonzero(~(still | lost)) for still, lost in zip(constant, idle)]
    live.append(np.arange(network.outputs))
    kept, shift = [], []
    for layer, block in enumerate(places.kernels):
        rows, columns = live[layer], live[layer + 1]
        kept.append((block.start + rows[:, None] * block.shape[1] + columns).ravel())
        shift.append(np.zeros(kept[-1].size))
    for layer, block in enumerate(places.biases):
        kept.append(block.start + live[layer + 1])
        shift.append(shifts[layer][live[layer + 1]])
    smaller = replace(
        network, inputs=live[0].size, hidden=tuple(units.size for units in live[1:-1])
    )
    return x, Reduction(smaller, np.concatenate(kept), np.concatenate(shift), live[0])


def _whole(network: Network) -> Reduction:
    """Nothing left out."""
    size = layout(network).size
    return Reduction(network, np.arange(size), np.zeros(size), np.arange(network.inputs))
