"""Loss against training rows, without and with a penalty: curves, their laws, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from shrinkage.data import Data
from shrinkage.detect.gains import Floats, over_folds
from shrinkage.exhibits import learning_curve_wording as wording
from shrinkage.exhibits.exhibit import Table
from shrinkage.exhibits.power_law import PowerLaw, draws_of_means, fit_power_laws
from shrinkage.intervals import Interval
from shrinkage.penalties import Penalty
from shrinkage.scores import Failures, standard_error

Verdict = Literal["more data", "a penalty", "unclear"]

_DRAWS = 1_000
_BAND = 60
_FITS_WELL = 0.9
"""Share of the curve's variation over the sizes that the power law must explain."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One network's losses against the number of training rows, and the law through them.

    Parameters
    ----------
    label : str
        ``"without a penalty"`` or ``"with L2"``.
    train, validation, gap : tuple of Interval
        For each size: the mean over the folds, free of the penalty.
    by_fold : ndarray of float64, shape (S, F)
        Validation losses; NaN on folds that are missing.
    law : PowerLaw
        Of the mean validation losses; one curve.
    explained : float
        Share of the variation of the means over the sizes that the law explains.
    falls : Interval
        By how much the validation loss falls from the fewest to all rows.
    """

    label: str
    train: tuple[Interval, ...]
    validation: tuple[Interval, ...]
    gap: tuple[Interval, ...]
    by_fold: Floats
    law: PowerLaw
    explained: float
    falls: Interval

    @staticmethod
    def of(label: str, rows: Floats, losses: Floats, law: PowerLaw, data: Data) -> Curve:
        """From training and validation losses (2, S, F) after training on rows (S,)."""
        train, validation = losses

        def intervals(of: Floats) -> tuple[Interval, ...]:
            return tuple(over_folds(one, data) for one in of)

        means, weights = np.nanmean(validation, axis=1), 1.0 / np.square(_errors(validation))
        around = weights @ np.square(means - np.average(means, weights=weights))
        left = weights @ np.square(means - law.at(rows))
        return Curve(
            label=label,
            train=intervals(train),
            validation=intervals(validation),
            gap=intervals(validation - train),
            by_fold=validation,
            law=law,
            explained=float(1.0 - left / around) if around > 0 else 1.0,
            falls=over_folds(validation[0] - validation[-1], data),
        )

    @property
    def follows_its_law(self) -> bool:
        """Whether it falls beyond noise, and as the law says: only then it is extrapolated."""
        return self.falls.low > 0 and self.explained >= _FITS_WELL

    @property
    def means(self) -> Floats:
        """Mean validation losses (S,)."""
        return np.array([one.estimate for one in self.validation])


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """What training on parts of the rows says.

    Losses are free of the penalty, in `unit`; rows are training rows of one fold.

    Parameters
    ----------
    penalty : Penalty
        Beside no penalty.
    lambdas : tuple of float
        λ that were tried, rising.
    best : tuple of float
        For each size the λ with the least mean validation loss over all folds.
    rows : ndarray of float64, shape (S,)
        Mean rows of each size, rising; the last is all of them.
    plain, penalized : Curve
        Without the penalty, and with it, its λ chosen at every size on the other folds of the
        same repeat.
    loss_name, unit : str
        ``"log loss"``, ``"nats"``.
    folds : int
        Folds with all their sizes.
    gain : Interval
        By how much the penalty lowers the validation loss on all rows.
    surplus : Interval
        By how much the loss without a penalty falls from the fewest to all rows, less `gain`: what
        is known without any law.
    doubling, doubling_penalized : Interval
        By how much twice all rows would lower it, by the law of the curve without and with.
    difference : Interval
        `doubling` less `gain`.
    needed : Interval or None
        Rows with which the network without a penalty would reach the loss that the penalty
        reaches with all of them; ends may be infinite. None where that cannot be told.
    band_rows : ndarray of float64, shape (G,)
        Rows at which the laws are drawn, beyond all rows too.
    bands : tuple of ndarray of float64, each (3, G)
        Of each curve: its law there, and the ends of its interval.
    verdict : str
        What would help more; one of :data:`Verdict`.
    missing : int
        Trials without a fit.
    failures : Failures
        Fits that failed.
    """

    penalty: Penalty
    lambdas: tuple[float, ...]
    best: tuple[float, ...]
    rows: Floats
    plain: Curve
    penalized: Curve
    loss_name: str
    unit: str
    folds: int
    gain: Interval
    surplus: Interval
    doubling: Interval
    doubling_penalized: Interval
    difference: Interval
    needed: Interval | None
    band_rows: Floats
    bands: tuple[Floats, Floats]
    verdict: Verdict
    missing: int
    failures: Failures

    name: ClassVar[str] = "learning-curve"

    @property
    def all_rows(self) -> float:
        """Mean training rows of a fold."""
        return float(self.rows[-1])

    @property
    def tells_rows(self) -> bool:
        """Whether `needed` is known well enough to be named."""
        if self.needed is None:
            return False
        low, high = self.needed.low / self.all_rows, self.needed.high / self.all_rows
        return high <= wording.FARTHEST or low >= wording.TOLD

    @property
    def headline(self) -> str:
        """The verdict with its numbers."""
        return wording.headline(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Verdict, rows, gap."""
        return wording.sentences(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing, failed, or lies at the edge of the λ that were tried."""
        return wording.notes(self)

    @property
    def table(self) -> Table:
        """Losses and gaps of each size."""
        return wording.table(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return wording.plain(self)


def compare(
    data: Data, penalty: Penalty, rows: Floats, plain: Floats, penalized: Floats, **facts: Any
) -> LearningCurve:
    """Fit both laws, draw what they might as well be, and judge.

    Parameters
    ----------
    data : Data
        The folds.
    penalty : Penalty
        Whose losses the second ones are.
    rows : ndarray of float64, shape (S,)
        Of each size.
    plain, penalized : ndarray of float64, shape (2, S, F)
        Training and validation losses, NaN on folds that do not count: the same ones for both.
    **facts
        The fields of :class:`LearningCurve` that are known already.
    """
    errors = (_errors(plain[1]), _errors(penalized[1]))
    means = tuple(np.nanmean(losses[1], axis=1)[None] for losses in (plain, penalized))
    fitted = fit_power_laws(rows, (means[0], means[1]), errors)
    curves = (
        Curve.of("without a penalty", rows, plain, fitted[0], data),
        Curve.of(f"with {penalty.label}", rows, penalized, fitted[1], data),
    )
    draws = _draws(plain[1], penalized[1], data)
    laws = fit_power_laws(rows, (draws[:, 0], draws[:, 1]), errors)
    return _judged(data, penalty, rows, curves, draws, laws, facts)


def _judged(
    data: Data,
    penalty: Penalty,
    rows: Floats,
    curves: tuple[Curve, Curve],
    draws: Floats,
    laws: tuple[PowerLaw, PowerLaw],
    facts: dict[str, Any],
) -> LearningCurve:
    """What follows from the curves (and from the draws (B, 2, S) of both, with their laws)."""
    plain, penalized = curves
    total = float(rows[-1])
    gain = over_folds(plain.by_fold[-1] - penalized.by_fold[-1], data)
    surplus = over_folds(plain.by_fold[0] - 2 * plain.by_fold[-1] + penalized.by_fold[-1], data)
    halves = [float(_doubling(curve.law, total)[0]) for curve in curves]
    drawn = [_doubling(law, total) for law in laws]
    doubling = _interval(halves[0], drawn[0])
    difference = _interval(
        halves[0] - gain.estimate, drawn[0] - (draws[:, 0, -1] - draws[:, 1, -1])
    )
    follows = plain.follows_its_law
    needed = None
    if follows and gain.low > 0:
        least = float(plain.law.rows_for(float(penalized.means[-1]))[0])
        reached = laws[0].rows_for(draws[:, 1, -1])
        needed = _interval(max(least, total), np.maximum(reached, total))
    farthest = min(max(2.0, 1.15 * (needed.estimate / total if needed else 1.0)), wording.FARTHEST)
    band_rows = np.geomspace(rows[0], farthest * total, _BAND)
    return LearningCurve(
        penalty=penalty,
        rows=rows,
        plain=plain,
        penalized=penalized,
        folds=int(np.isfinite(plain.by_fold[-1]).sum()),
        gain=gain,
        surplus=surplus,
        doubling=doubling,
        doubling_penalized=_interval(halves[1], drawn[1]),
        difference=difference,
        needed=needed,
        band_rows=band_rows,
        bands=(_band(plain.law, laws[0], band_rows), _band(penalized.law, laws[1], band_rows)),
        verdict=judge(gain, doubling, difference if follows else surplus, follows=follows),
        **facts,
    )


def judge(gain: Interval, doubling: Interval, difference: Interval, *, follows: bool) -> Verdict:
    """What helps more, rows or the penalty, where that is beyond noise.

    Parameters
    ----------
    gain, doubling, difference : Interval
        Of the penalty, of twice the rows, and the second less the first. Where the curve follows
        no law, `difference` is what all the rows brought since the fewest, less the gain: a
        penalty that does more than they did is likely to do more than others will.
    follows : bool
        Whether the curve may be extrapolated.
    """
    if not difference.bounded:
        return "unclear"
    if follows and difference.low > 0 and doubling.low > 0:
        return "more data"
    return "a penalty" if difference.high < 0 and gain.low > 0 else "unclear"


def _errors(losses: Floats) -> Floats:
    """Standard errors (S,) of mean losses (S, F), at least a hundredth of the means.

    Few folds may agree by chance, and no law holds more exactly than that.
    """
    spread = np.array([standard_error(one[np.isfinite(one)]) for one in losses])
    found: Floats = np.maximum(np.hypot(spread, 0.01 * np.nanmean(np.abs(losses), axis=1)), 1e-12)
    return found


def _draws(plain: Floats, penalized: Floats, data: Data) -> Floats:
    """Draws (B, 2, S) of both mean losses, paired; none where one fold is all there is."""
    losses = np.concatenate([plain, penalized])
    used = np.isfinite(losses).all(axis=0)
    if used.sum() < 2:
        return np.empty((0, 2, len(plain)))
    drawn = draws_of_means(losses[:, used].T, *data.overlap(used), _DRAWS)
    return drawn.reshape(_DRAWS, 2, len(plain))


def _doubling(law: PowerLaw, rows: float) -> Floats:
    """By how much the losses fall from `rows` to twice as many."""
    fall: Floats = law.at(rows) - law.at(2.0 * rows)
    return fall


def _interval(estimate: float, drawn: Floats, level: float = 0.95) -> Interval:
    """Percentile interval, around the estimate in any case; unbounded without draws."""
    if drawn.size == 0:
        return Interval(estimate, -np.inf, np.inf, level)
    ordered = np.sort(drawn)  # infinite values are among them, so nothing is interpolated
    tail = round((1 - level) / 2 * (drawn.size - 1))
    low, high = float(ordered[tail]), float(ordered[-1 - tail])
    return Interval(estimate, min(low, estimate), max(high, estimate), level)


def _band(law: PowerLaw, drawn: PowerLaw, rows: Floats) -> Floats:
    """The law at each of `rows` and the ends of its interval, (3, G)."""
    intervals = [_interval(float(law.at(n)[0]), drawn.at(n)) for n in rows]
    return np.array([[one.estimate, one.low, one.high] for one in intervals]).T
