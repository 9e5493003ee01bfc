"""Proximal steps in an optimizer's metric, each in one go over what lies in memory.

On a processor it is the passes that cost: dividing, taking roots and clamping one after another
read and write every weight six times, and a group's Newton steps far more often. Here weights stay
in registers, or a group in the nearest cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from shrinkage.engine.groups import _LEAST, _shrink_row


@njit(nogil=True, error_model="numpy", cache=True)
def shrink_by(w: Any, threshold: Any) -> None:
    """Soft-threshold `w` (n,) by one number of its type, in place; zeros are +0.0."""
    for i in range(w.size):
        w[i] -= w[i] if abs(w[i]) <= threshold else math.copysign(threshold, w[i])


# Not `fastmath`: a weight that is NaN has to stay so, or a divergence would look like a zero.
@njit(nogil=True, error_model="numpy", cache=True)
def shrink_by_root(w: Any, v: Any, length: Any, added: Any) -> None:
    """Soft-threshold `w` (n,) by length / (√v + added), in place; zeros are +0.0.

    Parameters
    ----------
    w : array (n,)
        Weights.
    v : array (n,)
        Second moments.
    length, added : float
        In the type of `w`.
    """
    for i in range(w.size):
        threshold = length / (math.sqrt(v[i]) + added)
        lost = w[i] if abs(w[i]) <= threshold else math.copysign(threshold, w[i])
        w[i] -= lost


@njit(nogil=True, error_model="numpy", cache=True)
def shrink_rows_by_root(w: Any, v: Any, length: Any, added: Any) -> None:
    """The group lasso's step on each row of `w`, in place, with those thresholds.

    Parameters
    ----------
    w : array (groups, n)
        Weights.
    v : array (groups, n)
        Second moments.
    length : float
        Step · λ · √n, in the type of `w`.
    added : float
        In the type of `w`.
    """
    thresholds = np.empty(w.shape[1], w.dtype)
    enough = w.dtype.type(math.sqrt(np.finfo(w.dtype).eps))
    least = w.dtype.type(_LEAST)
    for group in range(w.shape[0]):
        row, own = w[group], v[group]
        for i in range(row.size):
            thresholds[i] = max(length / (math.sqrt(own[i]) + added), least)
        _shrink_row(row, thresholds, False, enough)
