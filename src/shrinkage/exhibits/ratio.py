"""The ratio of two means over the same folds, with Fieller's interval."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shrinkage.data import Data
from shrinkage.intervals import Interval

Floats = NDArray[np.float64]


def ratio_interval(
    above: Floats, below: Floats, train_rows: float, validation_rows: float, level: float = 0.95
) -> Interval | None:
    """mean(above) / mean(below) with the interval of all ratios that the folds do not rule out.

    A ratio ρ is ruled out when the corrected interval of mean(above − ρ · below) leaves 0 out
    (Fieller's theorem, with the variance of :func:`shrinkage.intervals.corrected_interval`).

    Parameters
    ----------
    above, below : ndarray of float64, shape (k,)
        One pair for each fold, finite.
    train_rows, validation_rows : float
        Rows of a fold's parts.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Interval or None
        None when the mean of `below` is not told from 0: then no ratio can be ruled out on at
        least one side.

    References
    ----------
    Fieller (1954), "Some problems in interval estimation", JRSS B 16:175.

    Examples
    --------
    >>> below = np.array([0.9, 1.0, 1.1, 1.05, 0.95])
    >>> print(ratio_interval(0.5 * below, below, 80, 20))
    0.500 [0.500, 0.500]
    """
    folds = above.size
    if folds < 2:
        return None
    top, bottom = float(above.mean()), float(below.mean())
    covariance = np.cov(above, below) * (1.0 / folds + validation_rows / train_rows)
    reach = float(stdtrit(folds - 1, 0.5 + level / 2)) ** 2
    # ρ² a − 2 ρ b + c ≤ 0 are the ratios that are not ruled out.
    a = bottom**2 - reach * covariance[1, 1]
    b = top * bottom - reach * covariance[0, 1]
    c = top**2 - reach * covariance[0, 0]
    if a <= 0:
        return None
    root = sqrt(max(b * b - a * c, 0.0))
    return Interval(top / bottom, (b - root) / a, (b + root) / a, level)


def ratio_over_folds(above: Floats, below: Floats, data: Data) -> Interval | None:
    """The same for values (F,) on the folds of `data`, over those where both are finite."""
    used = np.isfinite(above) & np.isfinite(below)
    if not used.any():
        return None
    return ratio_interval(above[used], below[used], *data.overlap(used))
