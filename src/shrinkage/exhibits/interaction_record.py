"""What a grid of λ and dropout says: each way's gain, what both add, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.detect.gains import Floats
from shrinkage.exhibits import interaction_wording as wording
from shrinkage.exhibits.exhibit import Table
from shrinkage.intervals import Interval
from shrinkage.penalties import Penalty
from shrinkage.scores import Failures

Verdict = Literal[
    "redundant",
    "complementary",
    "only the penalty helps",
    "only dropout helps",
    "neither helps",
    "unclear",
]

_LITTLE = 0.2
_REDUNDANT = 0.5
"""Share of the smaller gain that the other must be shown to provide, to be called redundant."""


@dataclass(frozen=True)
class Way:
    """One way to regularize: its best cell, and what choosing a cell gains.

    Parameters
    ----------
    name : str
        ``"L2 alone"``, ``"dropout alone"`` or ``"both"``.
    lam, dropout : float
        The cell of this way with the least mean validation loss over all folds.
    loss : float
        That mean, flattered by having been chosen.
    gain : Interval
        By how much the validation loss is below that of the plain network, the cell chosen on the
        other folds of the same repeat.
    """

    name: str
    lam: float
    dropout: float
    loss: float
    gain: Interval

    @property
    def helps(self) -> bool:
        """Whether it validates better than the plain network beyond noise."""
        return self.gain.low > 0


@dataclass(frozen=True, eq=False)
class Interaction:
    """What a grid of λ and dropout says.

    Losses are free of the penalty and measured without dropout, in `unit`.

    Parameters
    ----------
    penalty : Penalty
        Whose λ it is.
    lambdas, dropouts : tuple of float
        The grid, rising; both begin with 0.
    losses, errors : ndarray of float64, shape (I, J)
        Mean validation loss of each λ and dropout over the folds, and its standard error; NaN
        where a fit failed.
    loss_name, unit : str
        ``"log loss"``, ``"nats"``.
    folds : int
        On which every cell is finished.
    alone, dropout, both : Way
        The penalty alone, dropout alone, and both above 0.
    extra : Interval
        By how much both together are below the better single way. Which one is better is read off
        all folds: of two equal ones the luckier, which errs against calling them complementary.
    overlap : Interval or None
        Share of the smaller single gain that the other way provides already: 1 when adding it
        gains nothing, 0 when the gains add up. None unless both gains are beyond noise.
    missing : int
        Trials without a fit.
    failures : Failures
        Fits that failed.
    """

    penalty: Penalty
    lambdas: tuple[float, ...]
    dropouts: tuple[float, ...]
    losses: Floats
    errors: Floats
    loss_name: str
    unit: str
    folds: int
    alone: Way
    dropout: Way
    both: Way
    extra: Interval
    overlap: Interval | None
    missing: int
    failures: Failures

    name: ClassVar[str] = "interaction"

    @property
    def verdict(self) -> Verdict:
        """What is beyond noise, and not owed to where the grid ends."""
        found = judge(self.alone, self.dropout, self.extra, self.overlap)
        return "unclear" if self.cut_short(found) else found

    def cut_short(self, verdict: Verdict | None = None) -> Way | None:
        """The way that the grid ends too early for, if that leaves the verdict open.

        More of the better way alone might do what both together do; and more of both together
        might gain what they do not.
        """
        found = verdict or judge(self.alone, self.dropout, self.extra, self.overlap)
        decisive = {"complementary": self.better, "redundant": self.both}.get(found)
        return decisive if decisive is not None and any(self.at_end(decisive)) else None

    def at_end(self, way: Way) -> tuple[bool, bool]:
        """Whether a way is best at the largest λ, and at the largest dropout, beyond noise.

        Where the next smaller one is as good within one standard error, a larger one is not missed.
        """
        row, column = self.lambdas.index(way.lam), self.dropouts.index(way.dropout)
        limit = self.losses[row, column] + self.errors[row, column]
        at_lam = row == len(self.lambdas) - 1 and row > 1
        at_dropout = column == len(self.dropouts) - 1 and column > 1
        return (
            bool(at_lam and self.losses[row - 1, column] > limit),
            bool(at_dropout and self.losses[row, column - 1] > limit),
        )

    @property
    def better(self) -> Way:
        """The single way with the greater gain."""
        return max((self.alone, self.dropout), key=lambda way: way.gain.estimate)

    @property
    def smaller(self) -> Way:
        """The other one."""
        return self.dropout if self.better is self.alone else self.alone

    @property
    def adds_little(self) -> bool:
        """Whether what the other adds to the better way is shown to be a small part of its gain."""
        return self.better.helps and self.extra.high < _LITTLE * self.better.gain.estimate

    @property
    def best(self) -> tuple[int, int]:
        """Indices of the λ and the dropout with the least mean validation loss."""
        row, column = np.unravel_index(int(np.nanargmin(self.losses)), self.losses.shape)
        return int(row), int(column)

    @property
    def limit(self) -> float:
        """The least mean validation loss and one standard error of it."""
        return float(self.losses[self.best] + self.errors[self.best])

    @property
    def near(self) -> NDArray[np.bool_]:
        """Cells (I, J) within one standard error of the best."""
        found: NDArray[np.bool_] = self.losses <= self.limit
        return found

    @property
    def ridge(self) -> tuple[int | None, ...]:
        """For each dropout the index of the λ with the least mean loss; None where all failed."""
        return tuple(
            int(np.nanargmin(column)) if np.isfinite(column).any() else None
            for column in self.losses.T
        )

    @property
    def headline(self) -> str:
        """The verdict with its number."""
        return wording.headline(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Gains, verdict and ridge."""
        return wording.sentences(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing, failed, or lies at the edge of the grid."""
        return wording.notes(self)

    @property
    def table(self) -> Table:
        """Mean validation losses, λ down and dropout across."""
        return wording.table(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return wording.plain(self)


def judge(alone: Way, dropout: Way, extra: Interval, overlap: Interval | None) -> Verdict:
    """The verdict, from what is beyond noise alone.

    Parameters
    ----------
    alone, dropout : Way
        The two single ways.
    extra : Interval
        What both together gain over the better one.
    overlap : Interval or None
        Share of the smaller gain that the other provides already.

    Returns
    -------
    str
        ``"complementary"`` when both together gain more than the better one alone beyond noise.
        ``"redundant"`` when both help alone and more than half of the smaller gain is shown to be
        provided by the other; that nothing more is *seen* would not be enough.
        ``"unclear"`` also where there are no intervals (one fold alone).
    """
    if not (alone.gain.bounded and dropout.gain.bounded and extra.bounded):
        return "unclear"
    if extra.low > 0:
        return "complementary"
    if alone.helps and dropout.helps:
        shown = overlap is not None and overlap.low > _REDUNDANT
        return "redundant" if shown or extra.high < 0 else "unclear"
    if alone.helps:
        return "only the penalty helps"
    if dropout.helps:
        return "only dropout helps"
    return "neither helps"
