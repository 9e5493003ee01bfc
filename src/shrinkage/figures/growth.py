"""Loss against the number of training rows as a figure: both networks, and where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.exhibits.learning_curve_record import Curve, LearningCurve
from shrinkage.exhibits.learning_curve_wording import about, thousands
from shrinkage.intervals import Interval

Floats = NDArray[np.float64]

_WIDE = 4.0
"""Ratio of the largest to the least loss above which a logarithmic axis reads better."""
_APART = 0.16
"""Least decades between two labels of the rows."""


@dataclass(frozen=True, eq=False)
class GrowthLine:
    """One network.

    Parameters
    ----------
    label : str
        ``"without a penalty"`` or ``"with L2"``.
    penalized : bool
        Whether it has a penalty.
    train, validation : ndarray of float64, shape (S,)
        Mean losses at each number of rows.
    low, high : ndarray of float64, shape (S,)
        Ends of the validation loss's interval; NaN where there is none.
    gap : tuple of str
        Validation less training loss, with its interval.
    followed : bool
        Whether the fitted law is drawn; else its line joins the losses.
    inside, beyond : tuple of ndarray
        Rows and losses of the line: where there are measurements, and further on.
    band : tuple of ndarray of float64, each (G,)
        Rows, and the ends of the law's interval there; empty without one.
    """

    label: str
    penalized: bool
    train: Floats
    validation: Floats
    low: Floats
    high: Floats
    gap: tuple[str, ...]
    followed: bool
    inside: tuple[Floats, Floats]
    beyond: tuple[Floats, Floats]
    band: tuple[Floats, Floats, Floats]


@dataclass(frozen=True, eq=False)
class GrowthFigure:
    """Both networks on one scale.

    Parameters
    ----------
    rows : ndarray of float64, shape (S,)
        Training rows of each size.
    lines : tuple of GrowthLine
        Without, then with the penalty.
    reached : (float, float) or None
        Rows and loss at which the network without a penalty is expected to do as well as the other
        one does with all rows; None where that cannot be told, or is too far.
    reached_label : str
        ``"about 3,200 rows"``.
    ticks : tuple of (float, str)
        Of the rows.
    x_range, y_range : tuple of float
        Of the axes; both rows and, where `scale` says so, losses are logarithmic.
    scale : str
        ``"linear"`` or ``"log"``, of the losses.
    loss, unit : str
        What is on the y axis.
    """

    rows: Floats
    lines: tuple[GrowthLine, GrowthLine]
    reached: tuple[float, float] | None
    reached_label: str
    ticks: tuple[tuple[float, str], ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    scale: Literal["linear", "log"]
    loss: str
    unit: str


def growth_figure(found: LearningCurve) -> GrowthFigure:
    """The figure's numbers."""
    lines = (
        _line(found, found.plain, found.bands[0], penalized=False),
        _line(found, found.penalized, found.bands[1], penalized=True),
    )
    reached, farthest = None, float(found.band_rows[-1])
    if found.needed is not None and found.tells_rows and found.needed.estimate < farthest:
        reached = (found.needed.estimate, float(found.penalized.means[-1]))
    last = farthest if any(line.followed for line in lines) else found.all_rows
    scale, y_range = _losses(lines)
    return GrowthFigure(
        rows=found.rows,
        lines=lines,
        reached=reached,
        reached_label="" if reached is None else f"about {about(reached[0])} rows",
        ticks=_ticks(found.rows, last),
        x_range=(float(found.rows[0]) / 1.12, last * 1.12),
        y_range=y_range,
        scale=scale,
        loss=found.loss_name,
        unit=found.unit,
    )


def _line(found: LearningCurve, curve: Curve, band: Floats, *, penalized: bool) -> GrowthLine:
    rows, total = found.band_rows, found.all_rows
    inside = np.append(rows[rows < total], total)
    beyond = np.append(total, rows[rows > total])
    nothing = rows[:0]
    followed = curve.follows_its_law
    banded = followed and bool(np.isfinite(band).all())
    return GrowthLine(
        label=curve.label,
        penalized=penalized,
        train=np.array([one.estimate for one in curve.train]),
        validation=curve.means,
        low=np.array([_end(one, one.low) for one in curve.validation]),
        high=np.array([_end(one, one.high) for one in curve.validation]),
        gap=tuple(one.with_unit(found.unit) for one in curve.gap),
        followed=followed,
        inside=(inside, curve.law.at(inside)) if followed else (found.rows, curve.means),
        beyond=(beyond, curve.law.at(beyond)) if followed else (nothing, nothing),
        band=(rows, band[1], band[2]) if banded else (nothing, nothing, nothing),
    )


def _end(of: Interval, end: float) -> float:
    return end if of.bounded else float("nan")


def _losses(
    lines: tuple[GrowthLine, GrowthLine],
) -> tuple[Literal["linear", "log"], tuple[float, float]]:
    """Scale and range: validation losses decide, training losses may vanish."""
    validation = np.concatenate([line.validation for line in lines])
    highs = np.concatenate([line.high for line in lines])
    ends = np.append(validation, highs[np.isfinite(highs)])
    # An interval of few folds may be far wider than everything else.
    top = min(float(ends.max()), 2.0 * float(validation.max()))
    least = float(validation.min())
    if least > 0 and float(validation.max()) / least > _WIDE:
        return "log", (least / 5, 1.2 * top)
    return "linear", (-0.03 * top, 1.06 * top)


def _ticks(rows: Floats, last: float) -> tuple[tuple[float, str], ...]:
    """All rows, the other sizes and powers of two beyond, where their labels have room."""
    total = float(rows[-1])
    doublings = total * 2.0 ** np.arange(1, 8)
    wanted = [total, *rows[0:1], *doublings[doublings <= last * 1.01], *rows[-2:0:-1]]
    kept: list[float] = []
    for place in wanted:
        if all(abs(np.log10(place / other)) >= _APART for other in kept):
            kept.append(float(place))
    return tuple((place, thousands(place)) for place in sorted(kept))
