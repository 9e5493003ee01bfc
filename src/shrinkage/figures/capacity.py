"""Capacity as figures: boundaries side by side, and every measure against the width."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.exhibits.capacity_record import Capacity, Measured, WidthPoint
from shrinkage.figures.surface import SurfaceFigure, surfaces_of
from shrinkage.intervals import Interval

Floats = NDArray[np.float64]
Role = Literal["train", "validation", "test"]

_WIDE = 8.0
"""Ratio of the largest to the least validation or test loss above which the axis is logarithmic."""


@dataclass(frozen=True, eq=False)
class WidthLine:
    """One measure from the narrowest to the widest network.

    Parameters
    ----------
    role : str
        ``"train"``, ``"validation"`` or ``"test"``.
    label : str
        For people.
    x : ndarray of float64, shape (k,)
        log₁₀ of the width.
    values, low, high : ndarray of float64, shape (k,)
        Estimates and the ends of their intervals; unbounded ones end at the estimate.
    """

    role: Role
    label: str
    x: Floats
    values: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class WidthPanel:
    """Lines over one x axis.

    Parameters
    ----------
    name : str
        ``"loss"``, ``"wrong"``, ``"length"`` or ``"islands"``.
    title : str
        What is measured, with its unit.
    lines : tuple of WidthLine
        At least one.
    best : float or None
        x of the width with the least mean validation loss; None where that is not to be seen.
    scale : str
        ``"linear"`` or ``"log"``.
    percent : bool
        Whether values are shares.
    y_range : tuple of float
        Ends of the y axis.
    """

    name: str
    title: str
    lines: tuple[WidthLine, ...]
    best: float | None
    scale: Literal["linear", "log"]
    percent: bool
    y_range: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CapacityFigure:
    """Everything that is drawn of a capacity sweep.

    Parameters
    ----------
    surfaces : SurfaceFigure or None
        One frame for each width; None where a network is missing.
    widths : tuple of int
        Of the x axis' ticks, rising.
    errors, complexity : tuple of WidthPanel
        Panels that stand side by side.
    """

    surfaces: SurfaceFigure | None
    widths: tuple[int, ...]
    errors: tuple[WidthPanel, ...]
    complexity: tuple[WidthPanel, ...]


def capacity_figure(record: Capacity, target: str) -> CapacityFigure:
    """The figure's numbers; `target` is the name of what is predicted."""
    points, best = record.points, float(np.log10(record.points[record.best].width))
    unit = f" ({record.unit})" if record.unit else ""
    errors = [_errors("loss", f"{record.loss_name}{unit}", points, lambda p: p.loss, best)]
    if all(point.wrong is not None for point in points):
        errors.append(_errors("wrong", "rows predicted wrongly", points, lambda p: p.wrong, best))
    complexity = []
    for name, title, measure in (
        ("length", "boundary length per area (per standard deviation)", lambda p: p.length),
        ("islands", "islands", lambda p: p.islands),
    ):
        line = _line("test", "mean over the networks", points, measure)
        if line is not None:
            top = 1.1 * float(line.high.max()) or 1.0
            panel = WidthPanel(name, title, (line,), None, "linear", False, (-0.03 * top, top))
            complexity.append(panel)
    return CapacityFigure(
        surfaces=None if record.surfaces is None else surfaces_of(record.surfaces, target),
        widths=tuple(point.width for point in points),
        errors=tuple(errors),
        complexity=tuple(complexity),
    )


def _errors(
    name: str,
    title: str,
    points: tuple[WidthPoint, ...],
    measured: Callable[[WidthPoint], Measured | None],
    best: float,
) -> WidthPanel:
    labels: dict[Role, str] = {
        "train": "training rows",
        "validation": "validation rows",
        "test": "untouched test rows",
    }

    def interval(role: Role, point: WidthPoint) -> Interval | None:
        of_point = measured(point)
        found: Interval | None = None if of_point is None else getattr(of_point, role)
        return found

    drawn = [_line(role, label, points, partial(interval, role)) for role, label in labels.items()]
    lines = tuple(line for line in drawn if line is not None)
    # A training loss may vanish, and an interval over few folds may reach below 0: neither decides.
    values = np.concatenate([line.values for line in lines if line.role != "train"])
    least, most = float(values.min()), float(max(line.values.max() for line in lines))
    logarithmic = name == "loss" and least > 0 and most > _WIDE * least
    top = min(max(float(line.high.max()) for line in lines), (4.0 if logarithmic else 1.8) * most)
    top = top or 1.0
    return WidthPanel(
        name=name,
        title=title,
        lines=lines,
        best=best,
        scale="log" if logarithmic else "linear",
        percent=name == "wrong",
        y_range=(least / 5, 1.2 * top) if logarithmic else _around(lines, top),
    )


def _around(lines: tuple[WidthLine, ...], top: float) -> tuple[float, float]:
    """From a little below everything, at 0 or above it, to a little above `top`."""
    low = max(min(float(line.low.min()) for line in lines), 0.0)
    margin = 0.06 * (top - low)
    return max(low - margin, -0.03 * top), top + margin


def _line(
    role: Role,
    label: str,
    points: tuple[WidthPoint, ...],
    measure: Callable[[WidthPoint], Interval | None],
) -> WidthLine | None:
    """The points that have the measure; None when none has it."""
    known = [(point.width, found) for point in points if (found := measure(point)) is not None]
    if not known:
        return None
    intervals = [interval for _, interval in known]
    return WidthLine(
        role=role,
        label=label,
        x=np.log10([width for width, _ in known]),
        values=np.array([one.estimate for one in intervals]),
        low=np.array([one.low if one.bounded else one.estimate for one in intervals]),
        high=np.array([one.high if one.bounded else one.estimate for one in intervals]),
    )
