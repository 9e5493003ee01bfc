"""After the descent: the penalized loss itself, brought to a stationary point.

A descent by minibatches ends near one; a certificate needs to be at one. So every pass takes all
rows, in double precision, and the methods are those of :mod:`shrinkage.engine.newton`. After L1 few
units are left, and the passes are made over a network of these alone.

Nothing penalizes the output kernel, and with hidden layers the penalized loss has no minimizer over
it: smaller hidden weights and larger output weights give nearly the same outputs at a smaller
penalty, without end. So it stays as the descent left it, unless the penalty acts on it too; what
its gradient is then is reported beside the certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.engine import kernel, layers
from shrinkage.engine.newton import ENOUGH, ENTRY, newton, quasi_newton
from shrinkage.engine.objective import Floats, Mask, Objective, Passes, State
from shrinkage.engine.reduction import reduce_network
from shrinkage.network import Network, layout
from shrinkage.penalties import Penalty
from shrinkage.training import LOSSES

_FIRST = 0.4
"""Share of the passes that the quasi-Newton method gets."""
_NEAR = 0.1
"""Distance, in units of λ, beyond which being more stationary than another point says little."""
_LEAST = 10
"""Passes without which no turn is begun."""
_SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Polished:
    """What a polish reached.

    Parameters
    ----------
    parameters : ndarray of float32, shape (P,)
        In the order of :func:`shrinkage.network.layout`.
    stationarity, slope, loss : float
        As in :class:`shrinkage.study.Fit`; of these parameters as they are, in single precision.
    iterations : int
        Passes over all rows.
    """

    parameters: NDArray[np.float32]
    stationarity: float
    slope: float
    loss: float
    iterations: int


def polish(
    network: Network,
    loss: str,
    penalty: Penalty | None,
    lam: float,
    rows: kernel.Rows,
    parameters: NDArray[np.float32],
    most: int,
    stop: NDArray[np.uint8],
    *,
    keep_zeros: bool = False,
) -> Polished:
    """Minimize the penalized loss from where a descent ended.

    Parameters
    ----------
    network : Network
        The shape.
    loss : str
        One of :data:`shrinkage.training.LOSSES`.
    penalty : Penalty or None
        L1, L2 or a mixture.
    lam : float
        λ.
    rows : Rows
        Training rows, in double precision.
    parameters : ndarray of float32, shape (P,)
        Where the descent ended; not written to.
    most : int
        Most passes over the rows.
    stop : ndarray of uint8, shape (1,)
        Set to 1 from another thread to give up.
    keep_zeros : bool, default False
        Whether penalized weights that are zero stay so, as in a relaxed refit.

    Returns
    -------
    Polished
        The most stationary point met, or the last and lowest where none is near a stationary one,
        as may happen with relu. The penalized loss is not above that at the start.

    Raises
    ------
    Interrupted
        If `stop` was set.
    """
    places = layout(network)
    x = parameters.astype(np.float64)
    l1 = lam * penalty.l1_share if penalty else 0.0
    l2 = lam * penalty.l2_share if penalty else 0.0
    unit = lam if l1 or l2 else 1.0
    fixed = np.zeros(x.size, dtype=bool)
    if l1 or l2:
        fixed[places.penalized.stop : places.kernels[-1].stop] = True
    if keep_zeros:
        fixed[places.penalized] = x[places.penalized] == 0.0
    passes = Passes(most, stop)
    shape = layers.shape_of(network, loss)
    whole = Objective(network, shape, rows, l1, l2, unit, fixed, passes)
    zeros = l1 > 0.0 or keep_zeros
    last, best = (_on_what_is_left if zeros else _on_everything)(whole, whole.at(x))
    found = (best if best.distance <= _NEAR else last).x.astype(np.float32)
    if not zeros:
        # Only L1 makes zeros: what is too small for single precision keeps the least normal number.
        weights = found[places.penalized]
        weights[weights == 0.0] = _SMALLEST
    iterations, at = passes.taken, found.astype(np.float64)
    _, gradient = whole.loss(at)
    return Polished(
        found,
        _stationarity(penalty if l1 or l2 else None, lam, places.penalized, at, gradient, fixed),
        float(np.abs(gradient[places.penalized.stop :]).max()),
        mean_loss(network, loss, found, rows),
        iterations,
    )


def mean_loss(
    network: Network, loss: str, parameters: NDArray[np.float32], rows: kernel.Rows
) -> float:
    """Penalty-free loss in double precision, by the mean over weights as in a fit's history."""
    x = parameters.astype(np.float64)
    shape, stop = layers.shape_of(network, loss), np.zeros(1, dtype=np.uint8)
    mean = kernel.full_gradient(shape, x, rows, np.empty_like(x), stop)
    return float(mean) * len(rows.weights) / float(rows.weights.sum())


def _stationarity(
    penalty: Penalty | None, lam: float, penalized: slice, x: Floats, gradient: Floats, fixed: Mask
) -> float:
    """Largest distance of a weight in units of λ; without a penalty, of all that moves."""
    if penalty is None:
        return float(np.abs(gradient[~fixed]).max())
    return float(penalty.stationarity(x[penalized], gradient[penalized], lam).max()) / lam


def _on_everything(objective: Objective, state: State) -> tuple[State, State]:
    """All parameters at once; the last point, and the most stationary."""
    passes = objective.passes
    state, early = quasi_newton(objective, state, passes.taken + int(_FIRST * passes.left))
    state, late = newton(objective, state, passes.most)
    return state, min(early, late, key=lambda one: one.distance)


def _on_what_is_left(whole: Objective, state: State) -> tuple[State, State]:
    """In turns, the network without dead units, and the question which zeros have to leave zero.

    The last point, and the most stationary.
    """
    passes, best, value = whole.passes, state, np.inf
    first = passes.taken + int(_FIRST * passes.left)
    while state.distance > ENOUGH and passes.left >= _LEAST and state.value < value:
        value = state.value
        zero = state.x == 0.0
        zero[whole.penalized :] = False
        slope = np.where(zero, np.abs(state.slope), 0.0)
        entering = zero & (slope > ENTRY * float(slope.max()))
        x, left = reduce_network(whole.network, state.x, entering, settle=whole.l1 > 0.0)
        small = Objective(
            left.network,
            layers.shape_of(left.network, LOSSES[whole.shape.loss]),
            whole.rows._replace(inputs=np.ascontiguousarray(whole.rows.inputs[:, left.inputs])),
            whole.l1,
            whole.l2,
            whole.unit,
            whole.fixed[left.kept],
            passes,
        )
        # The other half is for what this turn cannot see; it ends with three looks at the whole.
        until = min(passes.taken + max(passes.left // 2, _LEAST), passes.most - 3)
        last, early = quasi_newton(small, small.at(left.of(x)), min(first, until))
        last, late = newton(small, last, until)
        for found in {id(one): one for one in (early, late, last)}.values():
            state = whole.at(left.into(x, found.x))
            best = min(best, state, key=lambda one: one.distance)
    return state, best
