"""What the losses of one training say: overfits, underfits or balanced, on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shrinkage.detect.diagnosis import FALLING, MATERIAL_GAP, Verdict
from shrinkage.detect.judge import POOR, UNFINISHED
from shrinkage.intervals import Interval, bootstrap_interval, decimals

Floats = NDArray[np.float64]

FEWEST = 5
"""Measurements that a trend rests on at least."""


@dataclass(frozen=True)
class Reading:
    """What one training on one split says.

    Parameters
    ----------
    verdict : str
        ``"overfits"``, ``"underfits"`` or ``"balanced"``.
    loss_name, unit : str
        Of the losses below, which are free of any penalty.
    train_loss, validation_loss : float
        Means over rows, at the last epoch that was measured.
    null_loss : float or None
        Of the best constant answer; None where it is not known.
    gap : Interval
        Validation loss − training loss. The interval is about the rows; its ends are unbounded
        where losses are not known row by row.
    trend : Interval or None
        Change of the gap per epoch, over the last `recent` epochs.
    recent : int
        Epochs that the trend is about.
    epoch : int
        That the losses are of, from 1.
    best_epoch : int
        With the least validation loss.
    early_gain : Interval or None
        By how much an earlier epoch validates better, chosen on one half of the rows and measured
        on the other, both ways; None where losses are not known row by row.
    falling : bool
        Whether the validation loss still fell over the last quarter, by an amount that counts.
    rows : (int, int) or None
        Training and validation rows that were measured row by row.
    sentence : str
        The verdict with its numbers.
    advice : str
        What to do.
    """

    verdict: Verdict
    loss_name: str
    unit: str
    train_loss: float
    validation_loss: float
    null_loss: float | None
    gap: Interval
    trend: Interval | None
    recent: int
    epoch: int
    best_epoch: int
    early_gain: Interval | None
    falling: bool
    rows: tuple[int, int] | None
    sentence: str = ""
    advice: str = ""

    @property
    def scale(self) -> float:
        """What a gap is measured against: the constant answer's loss, or else the larger loss."""
        return self.null_loss or max(abs(self.validation_loss), abs(self.train_loss))

    @property
    def explained(self) -> float | None:
        """1 − training loss / constant answer's loss; None where that is not known."""
        return 1.0 - self.train_loss / self.null_loss if self.null_loss else None

    @property
    def gap_is_material(self) -> bool:
        """Whether the gap is not small, nor noise of the rows where that is known."""
        beyond = self.gap.low > 0 or not self.gap.bounded
        return beyond and self.gap.estimate >= MATERIAL_GAP * self.scale

    @property
    def stopping_helps(self) -> bool:
        """Whether an earlier epoch validates better beyond the noise of the rows."""
        return self.early_gain is not None and self.early_gain.low > 0

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}"


def verdict_of(facts: Reading) -> Verdict:
    """By the rules of :func:`shrinkage.detect.diagnose`, as far as one training can tell."""
    explained = facts.explained
    if explained is not None and explained < 0:
        return "underfits"
    if facts.gap_is_material or facts.stopping_helps:
        return "overfits"
    if explained is None:
        return "balanced"
    if explained < POOR or (facts.falling and explained < UNFINISHED):
        return "underfits"
    return "balanced"


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
    if losses[first] - losses[-1] < FALLING * scale:
        return False
    if not by_row:
        return True
    falls = by_row[first].astype(np.float64) - by_row[-1]
    (fall,) = bootstrap_interval(lambda counts: (falls @ counts / falls.size)[None], falls.size)
    return fall.low > 0


def finished(**facts: Any) -> Reading:
    """A reading with its verdict and its words.

    Parameters
    ----------
    **facts
        Fields of :class:`Reading` but verdict, sentence and advice.

    Returns
    -------
    Reading
    """
    bare = Reading(verdict="balanced", **facts)
    judged = replace(bare, verdict=verdict_of(bare))
    sentence, advice = _worded(judged)
    return replace(judged, sentence=sentence, advice=advice)


def _worded(facts: Reading) -> tuple[str, str]:
    """The sentence and the advice of a reading."""
    places = decimals(facts.validation_loss, facts.train_loss)
    losses = (
        f"{facts.loss_name} {facts.validation_loss:.{places}f} on validation rows vs "
        f"{facts.train_loss:.{places}f} on training rows"
    )
    said = f"The network {_state(facts)}: {losses}, {_gap(facts)}{_trend(facts)}{_null(facts)}."
    return said, _advice(facts)


def _state(facts: Reading) -> str:
    if facts.verdict == "underfits":
        return "underfits"
    if not facts.gap.bounded:
        return "seems to overfit" if facts.verdict == "overfits" else "does not seem to overfit"
    if facts.verdict == "overfits":
        return "overfits" if facts.gap_is_material else "overfits a little"
    if facts.gap.high > MATERIAL_GAP * facts.scale:
        return "is not shown to overfit beyond noise"
    return "neither overfits nor underfits" if facts.explained is not None else "does not overfit"


def _gap(facts: Reading) -> str:
    if facts.rows is None or not facts.gap.bounded:
        number = f"{facts.gap.estimate:.{decimals(facts.gap.estimate)}f}"
        return f"gap {number}{facts.unit and ' ' + facts.unit} (one split, without an interval)"
    return (
        f"gap {facts.gap.with_unit(facts.unit)} ({facts.gap.level:.0%} interval over "
        f"{facts.rows[0]:,} and {facts.rows[1]:,} rows of one split)"
    )


def _trend(facts: Reading) -> str:
    if facts.trend is None or not facts.trend.excludes(0.0):
        return ""
    over = f"over the last {facts.recent:,} epochs"
    return f", still growing {over}" if facts.trend.estimate > 0 else f", shrinking {over}"


def _null(facts: Reading) -> str:
    if facts.null_loss is None:
        return ""
    constant = f"{facts.null_loss:.{decimals(facts.null_loss)}f}"
    if facts.explained is not None and facts.explained < 0:
        return f"; a constant prediction has {constant}, which training does not reach"
    return f"; a constant prediction has {constant}"


def _advice(facts: Reading) -> str:
    more = "shrinkage.keras.path tries penalties on several splits"
    if facts.verdict == "underfits":
        longer = "Train longer" if facts.falling else "Train longer or wider, or penalize less"
        return f"{longer}."
    if facts.stopping_helps and facts.early_gain is not None:
        gain = facts.early_gain.with_unit(facts.unit)
        return f"Stop at about epoch {facts.best_epoch:,} (it gains {gain}), or penalize; {more}."
    if facts.verdict == "overfits":
        return f"Penalize, or stop earlier; {more}."
    return f"One split and one seed cannot say more; {more}."
