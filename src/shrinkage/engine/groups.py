"""The proximal step of the group lasso on one flat kernel, in the optimizer's own metric.

As with L1 (see :mod:`shrinkage.engine.optimizers`), each weight is shrunk by λ times the step that
its own gradient was multiplied by, here s_i. In that metric a group z of p weights becomes
u_i = z_i r / (r + t_i) with t_i = s_i λ √p, where the norm r = ‖u‖ is the root of
Σ (z_i / (r + t_i))² = 1, and it becomes zero where Σ (z_i / t_i)² ≤ 1.

The root is found as in :class:`shrinkage.penalties.GroupLasso`, by Newton's steps that rise from a
lower bound. The bound here needs sums only, which vectorize where a maximum does not: by Jensen's
inequality r is at least ‖z‖ − Σ z_i² t_i / ‖z‖², and Newton's step from 0 does not pass it either.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from shrinkage.engine.optimizers import RMSPROP, SGD
from shrinkage.penalties import GROUPS

NONE, UNITS, INPUTS = 0, 1, 2
CODES = {None: NONE} | {name: code for code, name in enumerate(GROUPS, start=1)}

# Without "nsz": the sign of a zero is part of what is promised.
_FAST = {"contract", "reassoc", "arcp"}
_LEAST = 1e-30
_MOST_STEPS = 60


def work_size(fan_in: int, fan_out: int) -> int:
    """Numbers that :func:`shrink_groups` needs as workspace."""
    return 4 * max(fan_in, fan_out)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _thresholds(optimizer, v, t, step, rate, settings, bound):
    """t_i = bound · s_i, the optimizer's step for each weight; at least a tiny number."""
    number = v.dtype.type
    least, added, reach = number(_LEAST), number(settings[4]), number(rate * bound)
    if optimizer == SGD:
        same = max(number(rate * bound / (1.0 - abs(settings[0]))), least)
        for i in range(v.size):
            t[i] = same
    else:
        correct = number(1.0 if optimizer == RMSPROP else 1.0 / (1.0 - settings[2] ** step))
        for i in range(v.size):
            t[i] = max(reach / (math.sqrt(v[i] * correct) + added), least)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _lowest(reached, slope, norm, spread, zero, one):
    """A lower bound of r from Σ (z/t)², Σ z²/t³, Σ z² and Σ z² t; 0 where the group dies."""
    jensen = math.sqrt(norm) - spread / norm
    newton = reached * (math.sqrt(reached) - one) / slope
    return zero if reached <= one else max(jensen, newton, zero)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _shrink_columns(w, t, work, fan_in, fan_out, equal, enough):
    """Every column of the kernel is a group; row by row, so that columns fill the vectors."""
    zero, one = w.dtype.type(0), w.dtype.type(1)
    reached, r = work[:fan_out], work[fan_out : 2 * fan_out]
    norm, slope = work[2 * fan_out : 3 * fan_out], work[3 * fan_out : 4 * fan_out]
    for j in range(4 * fan_out):
        work[j] = zero
    for i in range(fan_in):
        row, own = w[i * fan_out : (i + 1) * fan_out], t[i * fan_out : (i + 1) * fan_out]
        for j in range(fan_out):
            inverse = one / own[j]
            ratio = row[j] * inverse
            reached[j] += ratio * ratio
            slope[j] += ratio * ratio * inverse
            norm[j] += row[j] * row[j]
            r[j] += row[j] * row[j] * own[j]
    for j in range(fan_out):
        r[j] = _lowest(reached[j], slope[j], norm[j], r[j], zero, one)
    for _ in range(0 if equal else _MOST_STEPS):
        for j in range(fan_out):
            norm[j] = zero
            slope[j] = zero
        for i in range(fan_in):
            row, own = w[i * fan_out : (i + 1) * fan_out], t[i * fan_out : (i + 1) * fan_out]
            for j in range(fan_out):
                inverse = one / (r[j] + own[j])
                ratio = row[j] * inverse
                square = ratio * ratio
                norm[j] += square
                slope[j] += square * inverse
        most = zero
        for j in range(fan_out):
            rise = norm[j] * (math.sqrt(norm[j]) - one) / slope[j]
            rise = zero if reached[j] <= one else max(rise, zero)
            r[j] += rise
            most = max(most, rise - enough * r[j])
        if most <= zero:
            break
    for i in range(fan_in):
        row, own = w[i * fan_out : (i + 1) * fan_out], t[i * fan_out : (i + 1) * fan_out]
        for j in range(fan_out):
            shrunk = row[j] * (r[j] / (r[j] + own[j]))
            row[j] = shrunk if shrunk != zero else zero


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _shrink_row(z, t, equal, enough):
    """One group that lies in one piece."""
    zero, one = z.dtype.type(0), z.dtype.type(1)
    reached, slope, norm, spread = zero, zero, zero, zero
    for j in range(z.size):
        inverse = one / t[j]
        ratio = z[j] * inverse
        reached += ratio * ratio
        slope += ratio * ratio * inverse
        norm += z[j] * z[j]
        spread += z[j] * z[j] * t[j]
    if reached <= one:
        for j in range(z.size):
            z[j] = zero
        return
    r = _lowest(reached, slope, norm, spread, zero, one)
    for _ in range(0 if equal else _MOST_STEPS):
        norm, slope = zero, zero
        for j in range(z.size):
            inverse = one / (r + t[j])
            ratio = z[j] * inverse
            square = ratio * ratio
            norm += square
            slope += square * inverse
        rise = max(norm * (math.sqrt(norm) - one) / slope, zero)
        r += rise
        if rise <= enough * r:
            break
    for j in range(z.size):
        shrunk = z[j] * (r / (r + t[j]))
        z[j] = shrunk if shrunk != zero else zero


@njit(nogil=True, error_model="numpy")
def shrink_groups(
    over, optimizer, w, v, spent, work, fan_in, fan_out, step, rate, settings, lam
):  # fmt: skip
    """Apply the group lasso's proximal step to a kernel that the optimizer just moved, in place.

    Parameters
    ----------
    over : int
        ``UNITS`` (columns), ``INPUTS`` (rows) or ``NONE`` (nothing happens).
    optimizer : int
        One of the constants of :mod:`shrinkage.engine.optimizers`.
    w : array (fan_in · fan_out,)
        The kernel in C order, after the gradient's step.
    v : array (fan_in · fan_out,)
        Its second moment after that step.
    spent : array (fan_in · fan_out,)
        Overwritten; the kernel's gradient, which is not needed any more, will do.
    work : array
        Workspace, at least :func:`work_size`.
    fan_in, fan_out : int
        Shape of the kernel.
    step : int
        From 1, for Adam's correction of the second moment.
    rate : float
        Learning rate of this step.
    settings : array (5,)
        See :func:`shrinkage.engine.optimizers.update`.
    lam : float
        λ₃ of this step.
    """
    if over == NONE or lam <= 0.0 or rate <= 0.0:
        return
    # Newton's steps square the error: one of this size leaves none to speak of.
    enough = w.dtype.type(math.sqrt(np.finfo(w.dtype).eps))
    bound = lam * math.sqrt(fan_in if over == UNITS else fan_out)
    _thresholds(optimizer, v, spent, step, rate, settings, bound)
    equal = optimizer == SGD
    if over == UNITS:
        _shrink_columns(w, spent, work, fan_in, fan_out, equal, enough)
    else:
        for i in range(fan_in):
            place = slice(i * fan_out, (i + 1) * fan_out)
            _shrink_row(w[place], spent[place], equal, enough)
