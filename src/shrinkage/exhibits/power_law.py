"""The power law a + b·n^(−c) of learning curves, fitted to many curves at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLOWEST, FASTEST = 0.05, 2.0
"""Exponents that are tried. Below the first a curve is a straight line in log n over any range
that rows can have; above the second nothing is known to learn."""
_STEPS, _ZOOMS = 24, 5


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """One curve, or B of them: the loss a + b·n^(−c) after training on n rows.

    Parameters
    ----------
    floor : ndarray of float64, shape (B,)
        a ≥ 0: what no number of rows falls below.
    scale : ndarray of float64, shape (B,)
        b ≥ 0: what one row would lose beyond that.
    exponent : ndarray of float64, shape (B,)
        c, from :data:`SLOWEST` to :data:`FASTEST`.
    """

    floor: Floats
    scale: Floats
    exponent: Floats

    def at(self, rows: Floats | float) -> Floats:
        """Losses (B,) at one number of rows for each curve."""
        with np.errstate(divide="ignore", over="ignore"):
            found: Floats = self.floor + self.scale * np.power(rows, -self.exponent)
        return found

    def rows_for(self, loss: Floats | float) -> Floats:
        """Rows (B,) at which each curve falls to `loss`; inf where it never does."""
        above = np.maximum(loss - self.floor, 0.0)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = np.power(self.scale / above, 1.0 / self.exponent)
        # Without a slope the curve is its floor: already below, or never.
        flat = np.where(loss >= self.floor, 0.0, np.inf)
        result: Floats = np.where(self.scale > 0, found, flat)
        return result


def fit_power_law(rows: Floats, losses: Floats, typical: Floats | None = None) -> PowerLaw:
    """Weighted least squares with a, b ≥ 0, by variable projection.

    For a given c the best a and b are linear, so only c is searched: on a grid that zooms in. No
    start to choose, nothing that fails to converge, and the same bits every time. Residuals count
    relative to the typical loss at their number of rows: where losses are large, so is their noise.

    Parameters
    ----------
    rows : ndarray of float64, shape (m,)
        At least 3 different numbers of rows.
    losses : ndarray of float64, shape (B, m)
        B curves.
    typical : ndarray of float64, shape (m,), optional
        Typical losses; by default the means of the curves.

    Returns
    -------
    PowerLaw
        B of them.

    References
    ----------
    Golub & Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate"; for the law: Cortes et al. (1994), "Learning curves:
    asymptotic values and rate of convergence", NIPS 6; Viering & Loog (2023), "The shape of
    learning curves: a review", IEEE TPAMI.

    Examples
    --------
    >>> rows = np.array([50.0, 100.0, 200.0, 400.0])
    >>> law = fit_power_law(rows, (0.2 + 3.0 * rows**-0.5)[None])
    >>> law.floor.round(4), law.exponent.round(4), law.rows_for(0.25).round()
    (array([0.2]), array([0.5]), array([3600.]))
    """
    centre = np.exp(np.log(rows).mean())  # in its unit the columns 1 and n^(−c) are of one size
    relative = rows / centre
    size = losses.mean(axis=0) if typical is None else typical
    weights = 1.0 / np.maximum(np.abs(size), 1e-9) ** 2
    weights /= weights.sum()
    low = np.full(len(losses), np.log(SLOWEST))
    high = np.full(len(losses), np.log(FASTEST))
    every = np.arange(len(losses))
    for _ in range(_ZOOMS):
        steps = np.linspace(low, high, _STEPS, axis=1)
        floors, scales, errors = _linear(relative, losses, weights, np.exp(steps))
        best = np.argmin(errors, axis=1)
        low = steps[every, np.maximum(best - 1, 0)]
        high = steps[every, np.minimum(best + 1, _STEPS - 1)]
    exponent = np.exp(steps[every, best])
    scale = scales[every, best] * np.power(centre, exponent)
    return PowerLaw(floors[every, best], scale, exponent)


def _linear(
    rows: Floats, losses: Floats, weights: Floats, exponents: Floats
) -> tuple[Floats, Floats, Floats]:
    """Best a, b ≥ 0 and the weighted squared error for each curve and exponent, each (B, C)."""
    basis = np.power(rows, -exponents[:, :, None])  # (B, C, m)
    mean_basis = basis @ weights
    mean_loss = (losses @ weights)[:, None]
    cross = np.einsum("bcm,bm,m->bc", basis, losses, weights)
    square = np.square(basis) @ weights
    power = (np.square(losses) @ weights)[:, None]
    slope = (cross - mean_basis * mean_loss) / (square - mean_basis**2)
    free = (mean_loss - slope * mean_basis, slope)
    # A convex problem in two variables: unless the free solution is allowed, one of them is 0.
    no_slope = (np.broadcast_to(np.maximum(mean_loss, 0.0), slope.shape), np.zeros_like(slope))
    no_floor = (np.zeros_like(slope), np.maximum(cross / square, 0.0))

    def error(pair: tuple[Floats, Floats]) -> Floats:
        a, b = pair
        found: Floats = (
            power - 2 * (a * mean_loss + b * cross) + a**2 + 2 * a * b * mean_basis + b**2 * square
        )
        return found

    candidates = (free, no_slope, no_floor)
    errors = np.stack([error(pair) for pair in candidates])
    errors[0] = np.where((free[0] >= 0) & (free[1] >= 0), errors[0], np.inf)
    best = np.argmin(errors, axis=0)
    floors = np.choose(best, [pair[0] for pair in candidates])
    scales = np.choose(best, [pair[1] for pair in candidates])
    return floors, scales, errors.min(axis=0)


def draws_of_means(
    values: Floats, train_rows: float, validation_rows: float, count: int, seed: int = 0
) -> Floats:
    """Means over the folds as they might as well have been, correlations kept.

    Draws of a multivariate t distribution about the means: the margin of each column is that
    which :func:`shrinkage.intervals.corrected_interval` takes its interval from, and columns that
    rise and fall together over the folds do so in the draws. For quantities that are no mean,
    such as the parameters of a fitted curve.

    Parameters
    ----------
    values : ndarray of float64, shape (k, m)
        One row for each fold, finite; at least 2.
    train_rows, validation_rows : float
        Rows of a fold's parts.
    count : int
        Draws.
    seed : int, default 0
        Same seed, same draws.

    Returns
    -------
    ndarray of float64, shape (count, m)
    """
    folds = values.shape[0]
    deviations = (values - values.mean(axis=0)) / np.sqrt(folds - 1)
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((count, folds)) @ deviations
    chi = np.sqrt(rng.chisquare(folds - 1, count) / (folds - 1))[:, None]
    error = np.sqrt(1.0 / folds + validation_rows / train_rows)
    drawn: Floats = values.mean(axis=0) + error * normal / chi
    return drawn
