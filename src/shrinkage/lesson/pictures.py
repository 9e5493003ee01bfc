"""What an exhibit of the lesson shows, as numbers; drawn for the screen by the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.exhibits.interaction_record import Interaction
from shrinkage.intervals import Interval
from shrinkage.study import Fit
from shrinkage.verify.boundary import Boundary, boundary_along
from shrinkage.verify.weights import WeightsComparison

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart.

    Parameters
    ----------
    label : str
        For the legend.
    role : str
        Which colour role it plays: ``"none"``, ``"penalized"``, ``"train"``, ``"validation"``,
        ``"test"``.
    x, y : ndarray of float64, shape (k,)
        Points, in rising x.
    low, high : ndarray of float64, shape (k,), or None
        Ends of a band.
    markers : bool, default True
        Whether the points are marked.
    """

    label: str
    role: str
    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None
    markers: bool = True


def banded(
    label: str,
    role: str,
    x: Sequence[float],
    intervals: Sequence[Interval],
    *,
    markers: bool = True,
) -> Line:
    """A line through estimates, with their intervals as its band."""
    low, y, high = (
        np.array([getattr(interval, end) for interval in intervals], dtype=np.float64)
        for end in ("low", "estimate", "high")
    )
    return Line(label, role, np.array(x, dtype=np.float64), y, low, high, markers)


@dataclass(frozen=True, eq=False)
class Chart:
    """Lines, or single points, over one pair of axes.

    Parameters
    ----------
    title, x_label, y_label, caption : str
        With units; the caption says what to see.
    lines : tuple of Line
        At least one.
    x_scale, y_scale : str, default "linear"
        Or ``"log"``.
    ticks : tuple of (float, str), default ()
        Places on the x axis with labels of their own.
    """

    title: str
    x_label: str
    y_label: str
    caption: str
    lines: tuple[Line, ...]
    x_scale: Literal["linear", "log"] = "linear"
    y_scale: Literal["linear", "log"] = "linear"
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Boundaries:
    """Boundaries side by side, each over its own or a shared plane.

    Parameters
    ----------
    title, caption : str
        The caption says what to see.
    panels : tuple of (str, Boundary)
        A label, and a boundary of which the first surface is shown.
    """

    title: str
    caption: str
    panels: tuple[tuple[str, Boundary], ...]


def panels_of(
    fits: Sequence[Fit], labels: Sequence[str], data: Data
) -> tuple[tuple[str, Boundary], ...]:
    """A panel of :class:`Boundaries` for each fit, over the plane of the same data."""
    return tuple(
        (label, boundary_along([fit], [label], data))
        for fit, label in zip(fits, labels, strict=True)
    )


@dataclass(frozen=True, eq=False)
class Weights:
    """Box plots and densities of weights on two sides.

    Parameters
    ----------
    title, caption : str
        The caption says what to see.
    comparisons : tuple of WeightsComparison
        One for each kernel shown.
    """

    title: str
    caption: str
    comparisons: tuple[WeightsComparison, ...]


@dataclass(frozen=True, eq=False)
class Matrices:
    """Which weights of a kernel are zero, as pictures of the matrices.

    Parameters
    ----------
    title, caption : str
        The caption says what to see.
    panels : tuple of (str, ndarray of float32)
        A label, and the kernel, shape (fan-in, fan-out); exact zeros stay blank.
    """

    title: str
    caption: str
    panels: tuple[tuple[str, NDArray[np.float32]], ...]


@dataclass(frozen=True, eq=False)
class Heat:
    """An interaction map.

    Parameters
    ----------
    title, caption : str
        The caption says what to see.
    record : Interaction
        What is drawn.
    """

    title: str
    caption: str
    record: Interaction


Picture = Chart | Boundaries | Weights | Matrices | Heat
