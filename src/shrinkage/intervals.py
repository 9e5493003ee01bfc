"""Confidence intervals: over folds that share training rows, and over the rows of a test set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, inf, isfinite, log10, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shrinkage.errors import ShrinkageError

Floats = NDArray[np.float64]

FEWEST_ROWS = 10
"""Fewer rows than these do not tell their own spread, and get unbounded intervals."""
SMALLEST_STRATUM = 5
"""Classes with fewer rows than these are drawn together."""
_CHUNK = 1 << 20  # counts held at once while bootstrapping: 4 MiB, about a core's own cache


@dataclass(frozen=True)
class Interval:
    """An estimate and the interval that holds it.

    Parameters
    ----------
    estimate : float
        Point estimate, finite.
    low, high : float
        Ends; −inf and inf when the data say nothing about the spread (one fold alone).
    level : float, default 0.95
        Confidence level.

    Examples
    --------
    >>> print(Interval(0.123, 0.101, 0.145))
    0.123 [0.101, 0.145]
    >>> print(Interval(0.123, float("-inf"), float("inf")))
    0.123 [unbounded]
    """

    estimate: float
    low: float
    high: float
    level: float = 0.95

    @property
    def bounded(self) -> bool:
        """Whether both ends are finite."""
        return isfinite(self.low) and isfinite(self.high)

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside, strictly."""
        return value < self.low or value > self.high

    def with_unit(self, unit: str) -> str:
        """As ``str``, with the unit after the estimate.

        Examples
        --------
        >>> Interval(0.123, 0.101, 0.145).with_unit("nats")
        '0.123 nats [0.101, 0.145]'
        """
        estimate, ends = str(self).split(" ", 1)
        return f"{estimate} {unit} {ends}" if unit else str(self)

    def __neg__(self) -> Interval:
        """The interval of the negated quantity."""
        return Interval(-self.estimate, -self.high, -self.low, self.level)

    def __str__(self) -> str:
        if not self.bounded:
            return f"{self.estimate:.{decimals(self.estimate)}f} [unbounded]"
        places = decimals(self.estimate, self.low, self.high)
        estimate, low, high = (
            # Rounding first and adding 0.0 avoids "-0.000".
            f"{round(value, places) + 0.0:.{places}f}"
            for value in (self.estimate, self.low, self.high)
        )
        return f"{estimate} [{low}, {high}]"


def decimals(*values: float) -> int:
    """Decimal places that show three digits of the largest of `values`, from 0 to 6.

    Examples
    --------
    >>> decimals(0.0412), decimals(0.412, 0.1), decimals(12.3), decimals(12345.0)
    (4, 3, 1, 0)
    """
    largest = max((abs(value) for value in values if isfinite(value)), default=0.0)
    if largest < 5e-7:  # would show as zero; three places say so
        return 3
    return min(max(2 - floor(log10(largest)), 0), 6)


def corrected_interval(
    differences: Floats,
    train_rows: float,
    validation_rows: float,
    level: float = 0.95,
) -> Interval:
    """Mean of one difference per fold, with an interval for folds that share training rows.

    The folds of a cross-validation are not independent: their training sets overlap. The
    corrected resampled t interval widens the variance of the mean from s²/k to
    s² (1/k + validation rows / training rows), with k − 1 degrees of freedom.

    Parameters
    ----------
    differences : ndarray of float, shape (k,)
        One per fold (and repeat), finite.
    train_rows, validation_rows : float
        Rows of a fold's training and validation part; means when folds differ.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Interval
        The estimate is the mean. One difference alone gives unbounded ends; equal ones give no
        width.

    Raises
    ------
    ShrinkageError
        Without differences, or with one that is not finite.

    References
    ----------
    Nadeau & Bengio (2003), "Inference for the generalization error", Machine Learning 52, eq. 8
    and section 5; for repeated K-fold: Bouckaert & Frank (2004), PAKDD.

    Examples
    --------
    >>> print(corrected_interval(np.array([0.10, 0.14, 0.12, 0.11, 0.13]), 80, 20))
    0.120 [0.091, 0.149]
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ShrinkageError(
            "an interval over folds needs at least one fold, each with a finite loss; "
            "look for diverged or missing fits"
        )
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, -inf, inf, level)
    error = float(values.std(ddof=1)) * sqrt(1.0 / values.size + validation_rows / train_rows)
    reach = float(stdtrit(values.size - 1, 0.5 + level / 2)) * error
    return Interval(mean, mean - reach, mean + reach, level)


def independent_interval(values: Floats, level: float = 0.95) -> Interval:
    """Mean of independent runs (seeds), with Student's t interval.

    Parameters
    ----------
    values : ndarray of float, shape (k,)
        One per run, finite.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Interval
        The estimate is the mean; one run alone gives unbounded ends.

    Raises
    ------
    ShrinkageError
        Without values, or with one that is not finite.

    Examples
    --------
    >>> print(independent_interval(np.array([0.10, 0.14, 0.12, 0.11, 0.13])))
    0.120 [0.100, 0.140]
    """
    return corrected_interval(values, 1.0, 0.0, level)


def bootstrap_interval(
    statistic: Callable[[NDArray[Any]], Floats],
    rows: int,
    strata: NDArray[np.int64] | None = None,
    *,
    resamples: int = 2_000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Interval, ...]:
    """Percentile intervals of statistics of the same rows, paired by using the same resamples.

    Parameters
    ----------
    statistic : callable
        Takes counts (rows, b): how often each row is drawn in each of b resamples, in float32;
        for the sample itself, ones in float64. Returns float (s, b): s statistics of each
        resample; NaN where one is undefined.
    rows : int
        Rows of the sample.
    strata : ndarray of int, shape (rows,), optional
        Rows are drawn within their stratum, so every class keeps its number of rows and
        statistics such as AUC exist in every resample. Strata of fewer than 5 rows are drawn as
        one (with the next smallest, until it has 5): a row alone in its stratum would be in every
        resample, and look as if it had no spread.
    resamples : int, default 2000
        Number of resamples.
    level : float, default 0.95
        Confidence level.
    seed : int, default 0
        Same seed, same resamples.

    Returns
    -------
    tuple of Interval, length s
        The estimate is the statistic of the sample itself. With fewer than 10 rows the ends are
        unbounded. Resamples in which a statistic is undefined are left out.

    Raises
    ------
    ShrinkageError
        Without rows.

    References
    ----------
    Efron & Tibshirani (1993), "An Introduction to the Bootstrap", chapters 8 and 13.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> (mean,) = bootstrap_interval(lambda counts: (values @ counts / 100)[None], 100)
    >>> mean.estimate, bool(42 < mean.low < 46), bool(53 < mean.high < 57)
    (49.5, True, True)
    """
    if rows < 1:
        raise ShrinkageError("a bootstrap interval needs at least one row; the test set is empty")
    estimates = statistic(np.ones((rows, 1)))[:, 0]
    if rows < FEWEST_ROWS:
        return tuple(Interval(float(estimate), -inf, inf, level) for estimate in estimates)
    groups = [np.arange(rows)] if strata is None else _groups(strata)
    draws = np.concatenate(
        [statistic(counts) for counts in _resampled_counts(groups, rows, resamples, seed)], axis=1
    )
    tails = ((1 - level) / 2, (1 + level) / 2)
    return tuple(
        Interval(float(estimate), *_quantiles(drawn, tails), level)
        for estimate, drawn in zip(estimates, draws, strict=True)
    )


def _groups(strata: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Rows of each stratum, the small ones together."""
    labels, sizes = np.unique(strata, return_counts=True)
    order = np.argsort(sizes, kind="stable")
    small = int(np.count_nonzero(sizes < SMALLEST_STRATUM))
    if small:
        enough = int(np.searchsorted(np.cumsum(sizes[order]), SMALLEST_STRATUM)) + 1
        small = min(max(small, enough), labels.size)
    together = labels[order[:small]]
    groups = [np.flatnonzero(strata == label) for label in labels[order[small:]]]
    return [*groups, np.flatnonzero(np.isin(strata, together))] if small else groups


def _resampled_counts(
    groups: list[NDArray[np.intp]], rows: int, resamples: int, seed: int
) -> Iterator[NDArray[np.float32]]:
    """How often each row is drawn, as float32 (rows, b) in chunks over the resamples."""
    rng = np.random.default_rng(seed)
    chunk = max(_CHUNK // rows, 1)
    for first in range(0, resamples, chunk):
        width = min(chunk, resamples - first)
        counts = np.empty((rows, width), dtype=np.float32)
        for members in groups:
            drawn = rng.integers(0, members.size, size=(members.size, width))
            cells = drawn * width + np.arange(width)
            tally = np.bincount(cells.ravel(), minlength=members.size * width)
            counts[members] = tally.reshape(members.size, width)
        yield counts


def _quantiles(drawn: Floats, tails: tuple[float, float]) -> tuple[float, float]:
    """Ends of the percentile interval over the resamples in which the statistic exists."""
    defined = drawn[np.isfinite(drawn)]
    if defined.size == 0:
        return -inf, inf
    low, high = np.quantile(defined, tails)
    return float(low), float(high)
