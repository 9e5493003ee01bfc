"""Metrics as functions of how often each row is drawn, so that one product serves many resamples.

A statistic takes counts (rows, b) and returns the metric of each resample, (b,). Point values agree
with scikit-learn's functions of the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.floating[Any]]
Statistic = Callable[[Counts], Floats]

_PAIRS = 1 << 18  # positive-negative pairs up to which AUC is exact in every resample; 1 MiB each


def _sums(rows: Callable[[], Floats]) -> Callable[[Counts], Floats]:
    """Sums of `rows()` (m, n) over each resample, in the precision of the counts.

    The sample itself is counted in float64; the resamples, in float32, are many and only their
    spread matters. What is summed is made anew for each product: kept for every metric of every
    network it would be most of the memory that many rows take, and it costs less than the product.
    """
    return lambda counts: rows().astype(counts.dtype, copy=False) @ counts


def mean(
    values: Floats | NDArray[np.bool_], weights: Floats, among: NDArray[np.bool_] | None = None
) -> Statistic:
    """Weighted mean over rows, or among some of them."""

    def rows() -> Floats:
        mass = weights if among is None else weights * among
        return np.stack([values * mass, mass])

    sums = _sums(rows)

    def statistic(counts: Counts) -> Floats:
        total, mass = sums(counts)
        return np.asarray(total / mass)

    return statistic


def root_mean(squares: Floats, weights: Floats) -> Statistic:
    """Root of the weighted mean over rows, averaged over targets (as scikit-learn does)."""
    means = [mean(column, weights) for column in squares.T]
    return lambda counts: np.mean([np.sqrt(mean(counts)) for mean in means], axis=0)


def class_members(weights: Floats, classes: NDArray[np.int64]) -> Floats:
    """Weights of the rows of each class, (classes, rows); 0 for the others."""
    members: Floats = (classes == np.unique(classes)[:, None]) * weights
    return members


def mean_by_class(values: Floats | NDArray[np.bool_], members: Floats) -> Statistic:
    """Unweighted mean over the classes of the weighted mean in each, by :func:`class_members`."""
    numerator, denominator = _sums(lambda: members * values), _sums(lambda: members)
    return _over_classes(lambda counts: numerator(counts) / denominator(counts))


def mean_of(statistics: list[Statistic]) -> Statistic:
    """Mean of one metric of several classes."""
    return _over_classes(lambda counts: np.stack([one(counts) for one in statistics]))


def _over_classes(by_class: Callable[[Counts], Floats]) -> Statistic:
    """Mean over the classes (c, b); a resample without a row of a class goes by the others.

    In the sample itself every class must be defined, else the metric is not.
    """

    def statistic(counts: Counts) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = by_class(counts)
            if counts.dtype != np.float32:
                return np.asarray(found.mean(axis=0))
            defined = np.isfinite(found)
            return np.asarray(np.where(defined, found, 0.0).sum(axis=0) / defined.sum(axis=0))

    return statistic


def binned_error(gaps: Floats, bins: NDArray[np.int64], weights: Floats) -> Statistic:
    """Absolute weighted sum of `gaps` in each bin, summed over the bins, over all weight."""
    members = (bins == np.arange(int(bins.max()) + 1)[:, None]) * weights
    sums, masses = _sums(lambda: members * gaps), _sums(lambda: weights[None])
    return lambda counts: np.abs(sums(counts)).sum(axis=0) / masses(counts)[0]


def r_squared(squares: Floats, targets: Floats, weights: Floats) -> Statistic:
    """R² = 1 − Σ residual² / Σ (target − mean)², averaged over targets; NaN where undefined."""
    # In units of the spread and centred, so that the variance does not cancel in float32.
    spread = targets.std(axis=0)
    centred = (targets - targets.mean(axis=0)) / spread
    residuals = _sums(lambda: (squares / spread**2).T * weights)
    first = _sums(lambda: centred.T * weights)
    second = _sums(lambda: np.square(centred).T * weights)
    masses = _sums(lambda: weights[None])

    def statistic(counts: Counts) -> Floats:
        mass = masses(counts)
        total = second(counts) - np.square(first(counts)) / mass
        exists = total > 1e-6 * mass
        share = 1.0 - residuals(counts) / np.where(exists, total, 1.0)
        return np.asarray(np.where(exists, share, np.nan).mean(axis=0))

    return statistic


def auc(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> Statistic:
    """Probability that a positive row scores above a negative one, ties counting a half.

    With few pairs of rows, exact in every resample. With many, each resample gets the first-order
    expansion around the sample's AUC, a mean over rows of their placements (DeLong, DeLong &
    Clarke-Pearson 1988); what is left out is of order 1 / rows of the smaller side.
    """
    up, down = scores[positive], scores[~positive]
    up_weights, down_weights = weights[positive], weights[~positive]
    if up.size * down.size <= _PAIRS:
        wins = (up[:, None] > down).astype(np.float32) + 0.5 * (up[:, None] == down)
        wins = wins.astype(np.float32)
        wins = wins * np.outer(up_weights, down_weights).astype(np.float32)
        masses = _sums(lambda: np.stack([weights * positive, weights * ~positive]))

        def exact(counts: Counts) -> Floats:
            total = np.einsum("ib,ib->b", counts[positive], wins @ counts[~positive])
            above, below = masses(counts)
            return np.asarray(total / (above * below), dtype=np.float64)

        return exact

    placement = np.empty(scores.size)
    placement[positive] = _share_below(down, down_weights, up)
    placement[~positive] = 1.0 - _share_below(up, up_weights, down)
    area = float(np.average(placement[positive], weights=up_weights))
    sides = [mean(placement, weights, side) for side in (positive, ~positive)]
    return lambda counts: sides[0](counts) + sides[1](counts) - area


def _share_below(reference: Floats, weights: Floats, scores: Floats) -> Floats:
    """Weight share of `reference` below each score, and half of that at it."""
    order = np.argsort(reference)
    cumulative = np.r_[0.0, np.cumsum(weights[order])]
    ends = [np.searchsorted(reference[order], scores, side=side) for side in ("left", "right")]
    return np.asarray((cumulative[ends[0]] + cumulative[ends[1]]) / (2.0 * cumulative[-1]))
