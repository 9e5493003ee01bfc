"""Whether a network's probabilities mean what they say: Brier score and calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.intervals import FEWEST_ROWS, Interval, bootstrap_interval
from shrinkage.verify.metrics import Floats, Statistic, binned_error, mean

BINS = 10
"""Most bins of confidence; fewer where they would hold fewer than 10 rows each."""
_FEWEST_IN_BIN = 10
_CHANCE_DRAWS, _CHANCE_ROWS = 200, 2_000_000  # fewer draws where there are many rows
RESAMPLES = 1_000


@dataclass(frozen=True)
class Bin:
    """Rows of similar confidence.

    Parameters
    ----------
    confidence, accuracy : float
        Means over the rows: of the probability of the predicted class, and of being right; shares
        from 0 to 1.
    share : float
        Share of all rows (of their weight) in the bin.
    rows : int
        How many.
    """

    confidence: float
    accuracy: float
    share: float
    rows: int


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are from frequencies.

    Parameters
    ----------
    brier : Interval
        Mean squared difference of probabilities and outcomes. Two classes: of the second class's
        probability, from 0 to 1; more: summed over the classes, from 0 to 2. Resampled rows.
    expected_error : Interval
        Expected calibration error: mean over the bins, weighted by their rows, of the absolute
        difference of confidence and accuracy; a share from 0 to 1. Resampled rows, same bins;
        see :func:`reflected`.
    by_chance : float
        The mean expected error of a network with the same confidences that is calibrated
        perfectly, on as many rows: luck keeps it above 0, the more so the fewer the rows.
    overconfidence : float
        Mean confidence less accuracy; positive for a network that is surer than right.
    bins : tuple of Bin
        In rising confidence.
    """

    brier: Interval
    expected_error: Interval
    by_chance: float
    overconfidence: float
    bins: tuple[Bin, ...]


def calibration(
    probabilities: Floats,
    targets: NDArray[np.number[Any]],
    weights: NDArray[np.floating[Any]] | None = None,
    resamples: int = RESAMPLES,
) -> Calibration:
    """Compare what a network says with what happens.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (rows, classes)
        As :func:`shrinkage.verify.performance.predicted` gives them; at least two classes.
    targets : ndarray, shape (rows,) or (rows, 1)
        Index of each row's class.
    weights : ndarray of float, shape (rows,), optional
        Sample weights; ones when not given.
    resamples : int, default 1000
        Bootstrap resamples, drawn within each class. With fewer than 10 rows intervals are
        unbounded.

    Returns
    -------
    Calibration
        Rows are binned by their confidence, the probability of the predicted class, into bins of
        equal weight; rows of equal confidence stay together.

    References
    ----------
    Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78; Guo et al. (2017), "On calibration of modern neural networks", ICML; bins of equal
    mass: Nguyen & O'Connor (2015), EMNLP; what chance adds: Bröcker & Smith (2007), "Increasing the
    reliability of reliability diagrams", Weather and Forecasting 22.
    """
    classes = np.asarray(targets).reshape(len(probabilities)).astype(np.int64)
    mass = np.ones(classes.size) if weights is None else np.asarray(weights, dtype=np.float64)
    brier, error, bins = calibration_statistics(probabilities, classes, mass)
    found = bootstrap_interval(
        lambda counts: np.stack([brier(counts), error(counts)]),
        classes.size,
        classes,
        resamples=resamples if classes.size >= FEWEST_ROWS else 0,
    )
    confidence, right = _confidence(probabilities, classes)
    return Calibration(
        brier=found[0],
        expected_error=reflected(found[1], least=0.0),
        by_chance=by_chance(probabilities, mass),
        overconfidence=float(np.average(confidence - right, weights=mass)),
        bins=_described(confidence, right, mass, bins),
    )


def reflected(interval: Interval, least: float = -inf) -> Interval:
    """The basic bootstrap interval for a percentile one, not below `least`.

    Resampling makes an expected calibration error larger on average than that of the sample, as the
    sample's is larger than the truth. So what the resamples lie above the estimate is what the
    estimate may lie above the truth, and the interval is turned around at the estimate.

    References
    ----------
    Davison & Hinkley (1997), "Bootstrap methods and their application", section 5.2.
    """
    if not interval.bounded:
        return interval
    estimate = interval.estimate
    low = max(min(2 * estimate - interval.high, estimate), least)
    return Interval(estimate, low, max(2 * estimate - interval.low, estimate), interval.level)


def cautious(interval: Interval) -> Interval:
    """A percentile interval of a DIFFERENCE of expected errors, as far as reflecting it reaches.

    Chance adds most to the error of the better calibrated network, so neither interval alone is
    right for a difference: a reflected one finds differences where there are none, a percentile one
    misses large ones. What holds both claims a difference only where both do.
    """
    other = reflected(interval)
    low, high = min(interval.low, other.low), max(interval.high, other.high)
    return Interval(interval.estimate, low, high, interval.level)


def reliability(
    probabilities: list[Floats], classes: NDArray[np.int64], weights: Floats
) -> tuple[Bin, ...]:
    """Bins as of :func:`calibration`, of several networks together at the same rows."""
    seen = [_confidence(one, classes) for one in probabilities]
    confidence, right = (np.concatenate(values) for values in zip(*seen, strict=True))
    mass = np.tile(weights, len(probabilities))
    # As many bins as one network has: the rows of the others are the same ones again.
    return _described(confidence, right, mass, bins_of(confidence, mass, _count(classes.size)))


def calibration_statistics(
    probabilities: Floats, classes: NDArray[np.int64], weights: Floats
) -> tuple[Statistic, Statistic, NDArray[np.int64]]:
    """Brier score and expected error as functions of how often each row is drawn; each row's bin.

    Parameters
    ----------
    probabilities, classes, weights
        See :func:`calibration`; of shapes (rows, classes), (rows,) and (rows,).
    """
    confidence, right = _confidence(probabilities, classes)
    bins = bins_of(confidence, weights)
    squares = np.square(probabilities - np.eye(probabilities.shape[1])[classes]).sum(axis=1)
    if probabilities.shape[1] == 2:
        squares = squares / 2  # both classes miss by the same
    return mean(squares, weights), binned_error(confidence - right, bins, weights), bins


def bins_of(confidence: Floats, weights: Floats, count: int | None = None) -> NDArray[np.int64]:
    """The bin of each row, from 0: about equal weights in each, equal confidences together."""
    count = count or _count(confidence.size)
    _, value = np.unique(confidence, return_inverse=True)
    masses = np.bincount(value, weights)
    middle = (np.cumsum(masses) - 0.5 * masses) / masses.sum()
    wanted = np.minimum((middle * count).astype(np.int64), count - 1)
    # A heavy value may leave bins empty; numbers without gaps.
    return np.unique(wanted, return_inverse=True)[1][value]


def _count(rows: int) -> int:
    """How many bins rows fill."""
    return int(np.clip(rows // _FEWEST_IN_BIN, 1, BINS))


def _confidence(probabilities: Floats, classes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Probability of the predicted class, and 1 where that is the true one."""
    predicted = probabilities.argmax(axis=1)
    return probabilities.max(axis=1), (predicted == classes).astype(np.float64)


def by_chance(probabilities: Floats, weights: Floats) -> float:
    """Mean expected error if each row were right as often as is said; see :class:`Calibration`."""
    confidence = probabilities.max(axis=1)
    bins = bins_of(confidence, weights)
    draws = int(np.clip(_CHANCE_ROWS // confidence.size, 5, _CHANCE_DRAWS))
    drawn = np.random.default_rng(0).random((draws, confidence.size)) < confidence
    members = (bins == np.arange(bins.max() + 1)[:, None]) * weights
    gaps = (confidence - drawn) @ members.T
    return float(np.abs(gaps).sum(axis=1).mean() / weights.sum())


def _described(
    confidence: Floats, right: Floats, weights: Floats, bins: NDArray[np.int64]
) -> tuple[Bin, ...]:
    found = []
    for number in range(int(bins.max()) + 1):
        rows = bins == number
        mass = weights[rows].sum()
        if mass > 0:
            found.append(
                Bin(
                    confidence=float(confidence[rows] @ weights[rows] / mass),
                    accuracy=float(right[rows] @ weights[rows] / mass),
                    share=float(mass / weights.sum()),
                    rows=int(np.count_nonzero(rows)),
                )
            )
    return tuple(found)
