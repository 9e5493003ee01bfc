"""The power law a + b·n^(−c) of learning curves, fitted to many pairs of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLOWEST, FASTEST = 0.05, 2.0
"""Exponents that are tried. Below the first a curve is a straight line in log n over any range
that rows can have; above the second nothing is known to learn."""
_EXPONENTS, _FLOORS, _ZOOMS, _POLISHES, _CLOSER = 32, 10, 8, 3, 8.0


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


def fit_power_laws(
    rows: Floats,
    losses: tuple[Floats, Floats],
    errors: tuple[Floats, Floats],
) -> tuple[PowerLaw, PowerLaw]:
    """Two power laws with one floor a ≥ 0, each with its own b ≥ 0 and c: weighted least squares.

    Two trainings of one network that differ in how they are regularized part where rows are few;
    with ever more rows both approach what the network can learn. So the curve that has nearly
    arrived tells the floor of the one that has not, which alone could not be told from its slope.

    Fitted by variable projection: above a given floor each curve is b·n^(−c), whose best b is a
    quotient and whose c is found on a grid; only the floor is searched, in steps that zoom in. No
    start to choose, nothing that fails to converge, and the same bits every time.

    Parameters
    ----------
    rows : ndarray of float64, shape (m,)
        At least 3 different numbers of rows.
    losses : two ndarrays of float64, each (B, m)
        B pairs of curves.
    errors : two ndarrays of float64, each (m,)
        Standard errors of the losses, above 0: residuals count in their unit.

    Returns
    -------
    two PowerLaw
        B of each.

    References
    ----------
    Golub & Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate"; for the law: Cortes et al. (1994), "Learning curves:
    asymptotic values and rate of convergence", NIPS 6; Viering & Loog (2023), "The shape of
    learning curves: a review", IEEE TPAMI.

    Examples
    --------
    >>> rows = np.array([50.0, 100.0, 200.0, 400.0])
    >>> slow, fast = 0.2 + 3.0 * rows**-0.5, 0.2 + 2.0 * rows**-1.0
    >>> first, second = fit_power_laws(rows, (slow[None], fast[None]), (slow, fast))
    >>> first.floor.round(3), first.exponent.round(3), second.exponent.round(3)
    (array([0.2]), array([0.5]), array([1.]))
    >>> first.rows_for(0.25).round(-1)
    array([3600.])
    """
    centre = np.exp(np.log(rows).mean())  # in its unit the columns 1 and n^(−c) are of one size
    curves = [
        _Curves(rows / centre, loss, 1.0 / np.square(error))
        for loss, error in zip(losses, errors, strict=True)
    ]
    every = np.arange(len(losses[0]))
    low = np.zeros(len(every))
    # Above the mean of both curves neither has a slope that is allowed, and the fit only worsens.
    high = np.maximum(0.0, np.maximum(*(curve.means for curve in curves)))
    for _ in range(_ZOOMS):
        floors = np.linspace(low, high, _FLOORS, axis=1)
        fitted = [curve.above(floors) for curve in curves]
        best = np.argmin(fitted[0][2] + fitted[1][2], axis=1)
        low = floors[every, np.maximum(best - 1, 0)]
        high = floors[every, np.minimum(best + 1, _FLOORS - 1)]
    found = []
    for exponents, scales, _ in fitted:
        exponent = exponents[every, best]
        scale = scales[every, best] * np.power(centre, exponent)
        found.append(PowerLaw(floors[every, best], scale, exponent))
    return found[0], found[1]


@dataclass(frozen=True, eq=False)
class _Curves:
    """B curves (B, m) at rows (m,), and what their squared residuals weigh."""

    rows: Floats
    losses: Floats
    weights: Floats

    @property
    def means(self) -> Floats:
        """Weighted means (B,): each curve's best fit without a slope."""
        found: Floats = self.losses @ self.weights / self.weights.sum()
        return found

    def above(self, floors: Floats) -> tuple[Floats, Floats, Floats]:
        """Best c, b ≥ 0 and squared error above each of the floors (B, A); three such arrays."""
        grid = np.linspace(np.log(SLOWEST), np.log(FASTEST), _EXPONENTS)
        basis = np.power(self.rows, -np.exp(grid)[:, None])  # (C, m)
        left = self.losses[:, None] - floors[..., None]  # (B, A, m)
        # What b takes off the squared error of b = 0, for every exponent: (B, A, C).
        taken = np.maximum((left * self.weights) @ basis.T, 0.0) ** 2
        taken /= np.square(basis) @ self.weights
        place = grid[np.clip(np.argmax(taken, axis=2), 1, _EXPONENTS - 2)]
        step = float(grid[1] - grid[0])
        for _ in range(_POLISHES):
            # The top of the parabola through a point and its neighbours, then closer ones.
            before, at, after = (self._taken(left, place + k * step)[0] for k in (-1, 0, 1))
            bend = before - 2 * at + after
            shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)
            place = np.clip(place + np.clip(shift, -1.0, 1.0) * step, grid[0], grid[-1])
            step /= _CLOSER
        taken, scales = self._taken(left, place)
        return np.exp(place), scales, np.square(left) @ self.weights - taken

    def _taken(self, left: Floats, place: Floats) -> tuple[Floats, Floats]:
        """What the best b ≥ 0 takes off the squared error of `left` (B, A, m), and that b."""
        basis = np.exp(-np.exp(place)[..., None] * np.log(self.rows))
        cross = np.maximum((basis * left) @ self.weights, 0.0)
        square = np.square(basis) @ self.weights
        return cross**2 / square, cross / square


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
