"""Gaps between losses, with intervals for the rows and the epochs that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shrinkage.detect.diagnosis import FALLING
from shrinkage.intervals import Interval, bootstrap_interval

Floats = NDArray[np.float64]

FEWEST = 5
"""Measurements that a trend rests on at least."""


def gap_of(
    train: Floats, validation: Floats, weights: tuple[Floats | None, Floats | None]
) -> Interval:
    """Validation − training loss with an interval for the draw of both sets of rows.

    Parameters
    ----------
    train, validation : ndarray of float
        Losses row by row.
    weights : (ndarray or None, ndarray or None)
        Of the rows.

    Returns
    -------
    Interval
        By the bootstrap, rows drawn within their set.
    """
    if not (np.isfinite(train).all() and np.isfinite(validation).all()):
        return Interval(float("nan"), -np.inf, np.inf)
    first = np.ones(train.size) if weights[0] is None else weights[0]
    second = np.ones(validation.size) if weights[1] is None else weights[1]
    n = train.size

    def gap(counts: NDArray[np.floating[Any]]) -> Floats:
        a, b = first[:, None] * counts[:n], second[:, None] * counts[n:]
        return np.asarray((validation @ b / b.sum(axis=0) - train @ a / a.sum(axis=0))[None])

    sets = np.repeat([0, 1], [train.size, validation.size])
    (found,) = bootstrap_interval(gap, n + validation.size, sets)
    return found


def early_gain_of(validation: Sequence[Floats], seed: int = 0) -> Interval | None:
    """By how much an earlier measurement validates better than the last, honestly.

    Parameters
    ----------
    validation : sequence of ndarray of float, shape (rows,)
        Losses at each measurement.
    seed : int, default 0
        Of the halves.

    Returns
    -------
    Interval or None
        The measurement is chosen on one half of the rows and compared on the other, both ways;
        None without an earlier one.
    """
    if len(validation) < 2 or validation[0].size < 4:
        return None
    losses = np.stack(validation)
    if not np.isfinite(losses).all():
        return None
    halves = np.random.default_rng(seed).permutation(losses.shape[1]) % 2
    gains = np.empty(losses.shape[1])
    for half in (0, 1):
        chosen = int(np.argmin(losses[:, halves == half].mean(axis=1)))
        other = halves != half
        gains[other] = losses[-1, other] - losses[chosen, other]
    (found,) = bootstrap_interval(lambda counts: (gains @ counts / gains.size)[None], gains.size)
    return found


def trend_of(epochs: Sequence[int], gaps: Sequence[float], level: float = 0.95) -> Interval | None:
    """Change of the gap per epoch.

    Parameters
    ----------
    epochs : sequence of int
        Of the measurements.
    gaps : sequence of float
        At each.
    level : float, default 0.95
        Of the interval.

    Returns
    -------
    Interval or None
        Least squares; neighbouring gaps are alike, so the error is that of as many independent
        ones as their first autocorrelation leaves. None with fewer than 5.

    References
    ----------
    Santer et al. (2000), "Statistical significance of trends and trend differences in layer-average
    atmospheric temperature time series", eq. 6.
    """
    n = len(epochs)
    if n < FEWEST or not np.isfinite(gaps).all():
        return None
    x = np.asarray(epochs, dtype=np.float64)
    x, y = x - x.mean(), np.asarray(gaps, dtype=np.float64)
    slope = float(x @ y / (x @ x))
    rest = y - y.mean() - slope * x
    power = float(rest @ rest)
    alike = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.99) if power > 0 else 0.0
    independent = max(n * (1 - alike) / (1 + alike), 3.0)
    reach = float(stdtrit(independent - 2, 0.5 + level / 2))
    error = reach * sqrt(power / (independent - 2) / float(x @ x))
    return Interval(slope, slope - error, slope + error, level)


def is_falling(
    epochs: Sequence[int], losses: Sequence[float], by_row: Sequence[Floats], scale: float
) -> bool:
    """Whether the validation loss fell over the last quarter of the epochs.

    Parameters
    ----------
    epochs : sequence of int
        Of the measurements.
    losses : sequence of float
        Validation loss at each.
    by_row : sequence of ndarray
        The same row by row, or nothing.
    scale : float
        Of the losses.

    Returns
    -------
    bool
        By an amount that counts and, where rows are known, beyond their noise.
    """
    first = next(n for n, epoch in enumerate(epochs) if epoch >= 0.75 * epochs[-1])
    if not losses[first] - losses[-1] >= FALLING * scale:
        return False
    if not by_row:
        return True
    falls = by_row[first].astype(np.float64) - by_row[-1]
    (fall,) = bootstrap_interval(lambda counts: (falls @ counts / falls.size)[None], falls.size)
    return fall.low > 0
