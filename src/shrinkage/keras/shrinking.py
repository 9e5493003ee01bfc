"""The value of a penalty and its proximal step, on any backend of Keras.

The same formulas as in :mod:`shrinkage.penalties`, which has NumPy's; groups lie along axes of the
kernel instead of in rows or columns.
"""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from keras import ops

from shrinkage.penalties import Penalty

Axes = tuple[int, ...] | None

_MOST_STEPS = 60
_ENOUGH = 1e-6


def value_of(penalty: Penalty, w: Any, lam: Any, within: Axes) -> Any:
    """λ₁ Σ|w| + (λ₂/2) Σ w² + λ₃ Σ √|g| ‖w_g‖, with a gradient everywhere.

    Parameters
    ----------
    penalty : Penalty
        Its shares are what counts.
    w : tensor
        Kernel.
    lam : tensor
        λ, a scalar.
    within : tuple of int or None
        Axes along which a group lies.

    Returns
    -------
    tensor
        A scalar.
    """
    total = ops.zeros((), dtype=w.dtype)
    if penalty.l1_share:
        total = total + lam * penalty.l1_share * ops.sum(ops.abs(w))
    if penalty.l2_share:
        total = total + 0.5 * lam * penalty.l2_share * ops.sum(ops.square(w))
    if penalty.group_share and within is not None:
        squares = ops.sum(ops.square(w), axis=within)
        # The root has no derivative at 0, where 0 is the one that keeps a dead group dead.
        dead = ops.equal(squares, 0.0)
        norms = ops.sqrt(ops.where(dead, ops.ones_like(squares), squares))
        norms = ops.where(dead, ops.zeros_like(norms), norms)
        root = sqrt(_members(w, within))
        total = total + lam * penalty.group_share * root * ops.sum(norms)
    return total


def shrink(penalty: Penalty, w: Any, lam: Any, step: Any, within: Axes) -> Any:
    """The proximal step of the parts that make exact zeros: λ₁ Σ|w| and λ₃ Σ √|g| ‖w_g‖.

    Parameters
    ----------
    penalty : Penalty
        Its shares are what counts.
    w : tensor
        Kernel.
    lam : tensor
        λ, a scalar.
    step : tensor
        What the optimizer multiplied the gradient of each weight by; a scalar or of the kernel's
        shape.
    within : tuple of int or None
        Axes along which a group lies.

    Returns
    -------
    tensor
        Of the kernel's shape; every zero is +0.0.
    """
    if penalty.l1_share:
        threshold = ops.broadcast_to(step * (lam * penalty.l1_share), w.shape)
        # What is subtracted makes the zeros +0.0, whatever the sign of the weight was.
        w = w - ops.minimum(ops.maximum(w, -threshold), threshold)
    if penalty.group_share and within is not None:
        root = sqrt(_members(w, within))
        w = _shrink_groups(w, step * (lam * penalty.group_share * root), within)
    return w


def _members(w: Any, within: tuple[int, ...]) -> int:
    """Weights in one group."""
    return prod(int(w.shape[axis]) for axis in within)


def _shrink_groups(w: Any, thresholds: Any, within: tuple[int, ...]) -> Any:
    """Every group shrinks along its own curve: u = w r / (r + t), where Σ (w / (r + t))² = 1.

    Newton's method on 1/‖w / (r + t)‖ from a lower bound of r, as in
    :class:`shrinkage.penalties.GroupLasso`.
    """
    size, t = ops.abs(w), ops.broadcast_to(thresholds, w.shape)
    acts = t > 0.0
    safe = ops.where(acts, t, ops.ones_like(t))
    # A ratio this large is alive for sure, and its square still fits into single precision.
    reached = ops.minimum(size / safe, 1e9)
    reached = ops.where(acts, reached, ops.where(size > 0.0, 1e9, 0.0))
    alive = ops.sum(ops.square(reached), axis=within, keepdims=True) > 1.0
    lengths = ops.sqrt(ops.sum(ops.square(w), axis=within, keepdims=True))
    lowest = ops.maximum(
        lengths - ops.max(t, axis=within, keepdims=True),
        ops.max(size - t, axis=within, keepdims=True),
    )
    norms = ops.where(alive, ops.maximum(lowest, 0.0), 0.0)

    def rises(norms: Any) -> Any:
        below = norms + t
        below = ops.where(below > 0.0, below, ops.ones_like(below))
        ratio = size / below
        square = ops.sum(ops.square(ratio), axis=within, keepdims=True)
        slope = ops.sum(ops.square(ratio) / below, axis=within, keepdims=True)
        slope = ops.where(slope > 0.0, slope, ops.ones_like(slope))
        rise = square * (ops.sqrt(square) - 1.0) / slope
        return ops.where(alive, ops.maximum(rise, 0.0), ops.zeros_like(rise))

    def unfinished(norms: Any, rise: Any) -> Any:
        return ops.any(rise > _ENOUGH * norms)

    def risen(norms: Any, rise: Any) -> tuple[Any, Any]:
        higher = norms + rise
        return higher, rises(higher)

    norms, _ = ops.while_loop(
        unfinished, risen, (norms, rises(norms)), maximum_iterations=_MOST_STEPS
    )
    total = norms + t
    kept = ops.where(total > 0.0, norms / ops.where(total > 0.0, total, 1.0), 1.0)
    shrunk = ops.where(alive, w * kept, ops.zeros_like(w))
    return ops.where(ops.equal(shrunk, 0.0), ops.zeros_like(shrunk), shrunk)
