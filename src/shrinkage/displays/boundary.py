"""What a network answers over two of its inputs, a slice, or the principal plane."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from textwrap import fill
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from shrinkage.detect.gains import point_of
from shrinkage.displays.axes import (
    canvas,
    figure_of,
    mode_of,
    place_legend,
    roles_of,
    small_ticks,
)
from shrinkage.displays.slices import answers_over, places_of, slice_of
from shrinkage.displays.sources import point_selected
from shrinkage.errors import SettingError
from shrinkage.figures.colours import (
    class_colour,
    class_colours,
    class_marker,
    probability_colours,
)
from shrinkage.figures.surface import Frame, SurfaceFigure, surfaces_of
from shrinkage.penalties.names import describe_lambda
from shrinkage.study import Study
from shrinkage.tune import select
from shrinkage.verify.boundary import GRID, boundary_along
from shrinkage.verify.verification import refits_along, sides_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

_MARKERS: dict[str, Any] = {
    "circle": "o",
    "triangle": "^",
    "square": "s",
    "diamond": "D",
    "inverted_triangle": "v",
    "hex": "h",
    "star": "*",
    "plus": "P",
    "cross": "X",
    "asterisk": (4, 1, 0),
}
"""The shapes of :data:`shrinkage.figures.colours.MARKERS`; a star of four points for an asterisk,
which has no inside to be coloured."""
_MANY = 600
"""More rows than these are drawn smaller."""
_WIDE, _HIGH = 46, 32
"""Letters that fit along the axes of a figure of one column."""


class DecisionBoundaryDisplay:
    """What a network answers over a plane of its inputs, with the rows on it.

    Make one with :meth:`from_estimator` or :meth:`from_study`. Two classes: the probability of the
    second, and the line where it is one half. More classes: the most probable one, stronger where
    it is surer. Regression: the prediction, in the target's own units.

    Parameters
    ----------
    surface : SurfaceFigure
        What is drawn; the same numbers as in the report.
    rows : bool, default True
        Whether there are rows to draw.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the surface.
    figure_ : matplotlib Figure
        The figure that they are on.
    surface_ : matplotlib AxesImage or None
        The surface; None for one input.
    lines_ : list of matplotlib Line2D
        The boundary, or lines of equal predictions; for one input the answer itself.
    points_ : list of matplotlib PathCollection
        The rows, one collection for each class.
    colorbar_ : matplotlib Colorbar or None
        What the colours mean; None for more than two classes, whose legend tells.
    legend_ : matplotlib Legend or None
        The classes; None without any.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from shrinkage.displays import DecisionBoundaryDisplay
    >>> from shrinkage.estimators import ShrinkageClassifierCV
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> model = ShrinkageClassifierCV(lambdas=[0.001, 0.1], max_iter=10, cv=3, random_state=0)
    >>> display = DecisionBoundaryDisplay.from_estimator(model.fit(X, y), X, y)
    >>> display.colorbar_.ax.get_ylabel()
    'probability of 1'
    """

    ax_: Axes
    figure_: Figure
    surface_: AxesImage | None
    lines_: list[Line2D]
    points_: list[PathCollection]
    colorbar_: Colorbar | None
    legend_: Legend | None

    def __init__(self, *, surface: SurfaceFigure, rows: bool = True) -> None:
        self.surface = surface
        self.rows = rows

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        features: Sequence[int | str] | None = None,
        others: str = "median",
        grid_resolution: int = GRID,
        ax: Axes | None = None,
    ) -> Self:
        """What any fitted estimator answers, in the units of the table.

        Parameters
        ----------
        estimator : estimator
            Any classifier or regressor that is fitted, a pipeline too; asked by ``predict_proba``
            where it has one, else by ``predict``.
        X : array-like of shape (n_samples, n_features)
            Rows that place the plane.
        y : array-like of shape (n_samples,), default None
            Their targets; no rows are drawn without it.
        features : sequence of int or str, default None
            One or two columns, by position or name, to vary while the others are held. By default
            all of at most two columns, and of more the plane of their first two principal
            components.
        others : str, default "median"
            What the others are held at: ``"median"`` or ``"mean"``; the commonest value where a
            column is not of numbers.
        grid_resolution : int, default 120
            Points along each axis.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        DecisionBoundaryDisplay
            Drawn.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)
        chosen = slice_of(estimator, X, features, others)
        label = type(estimator).__name__
        boundary = answers_over(estimator, chosen, y, label, grid_resolution)
        target = str(getattr(y, "name", None) or "y")
        return cls(surface=surfaces_of(boundary, target), rows=y is not None).plot(ax)

    @classmethod
    def from_study(
        cls,
        study: Study,
        *,
        lam: float | None = None,
        features: Sequence[int | str] | None = None,
        rule: str = "minimum",
        metric: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """What the networks of a study answer that were trained on every training row.

        Parameters
        ----------
        study : Study
            With fits on every training row, without a penalty and with the chosen one.
        lam : float, default None
            See :meth:`plot`.
        features : sequence of int or str, default None
            One or two of the network's inputs, by position or name, with the others at their
            medians. By default all of at most two inputs, and of more the plane of their first two
            principal components.
        rule : str, default "minimum"
            Which choice: ``"minimum"`` or ``"one_standard_error"``.
        metric : str, default None
            What the rule looks at; the loss by default.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        DecisionBoundaryDisplay
            Drawn.
        """
        study = study.principal
        point = point_selected(select(study, rule, metric))
        before, _ = sides_of(study, point)
        fits = refits_along(study, point, before[0].trial.seed)
        labels = [study.label(*point_of(fit)) for fit in fits]
        places = places_of(study.data.full.columns, features or ())
        boundary = boundary_along(fits, labels, study.data, places)
        target = study.data.target_names[0]
        display = cls(surface=surfaces_of(boundary, target, study.label(*point)))
        return display.plot(ax, lam=lam)

    def plot(
        self, ax: Axes | None = None, *, lam: float | None = None, colorbar: bool = True
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            Where; on a figure of its own by default.
        lam : float, default None
            Whose surface of those along the path; 0 without a penalty, the chosen one by default.
        colorbar : bool, default True
            Whether to explain the colours beside the axes.

        Returns
        -------
        DecisionBoundaryDisplay
            Itself.
        """
        data, frame = self.surface, self._frame(lam)
        with canvas(type(self).__name__, ax, 2.9) as axes:
            self.ax_, self.figure_ = axes, figure_of(axes)
            self.surface_, self.colorbar_, self.legend_ = None, None, None
            self.lines_, self.points_ = [], []
            axes.set_xlabel(_broken(data.plane.x_label, _WIDE))
            if data.plane.kind == "one input":
                self._line(frame)
            else:
                self._map(frame, colorbar=colorbar)
            if self.rows:
                self._points()
            if not axes.get_title():
                axes.set_title(frame.label)
            if data.classes and (self.points_ or data.task == "multiclass"):
                self.legend_ = self._legend(own=ax is None)
        return self

    def _frame(self, lam: float | None) -> Frame:
        frames = self.surface.frames
        if lam is None:
            return frames[self.surface.selected]
        for frame in frames:
            if isclose(frame.lam, lam, rel_tol=1e-6):
                return frame
        known = ", ".join(describe_lambda(frame.lam) if frame.lam else "0" for frame in frames)
        raise SettingError(f"there is no network with λ = {lam:g}; choose one of: {known}")

    def _map(self, frame: Frame, *, colorbar: bool) -> None:
        ax, data, mode = self.ax_, self.surface, mode_of(self.ax_)
        plane, roles = data.plane, roles_of(self.ax_)
        half = [0.5 * (axis[1] - axis[0]) for axis in (plane.x, plane.y)]
        values, ends, colours = _coloured(data, frame, mode)
        self.surface_ = ax.imshow(
            values,
            origin="lower",
            extent=(
                float(plane.x[0] - half[0]),
                float(plane.x[-1] + half[0]),
                float(plane.y[0] - half[1]),
                float(plane.y[-1] + half[1]),
            ),
            aspect="auto",
            interpolation="nearest",
            cmap=colours,
            vmin=ends[0],
            vmax=ends[1],
        )
        ax.set_xlim(float(plane.x[0]), float(plane.x[-1]))
        ax.set_ylim(float(plane.y[0]), float(plane.y[-1]))
        ax.set_ylabel(_broken(plane.y_label, _HIGH))
        if frame.contour_x.size:
            binary = data.task == "binary"
            self.lines_ = ax.plot(
                frame.contour_x,
                frame.contour_y,
                color=roles["ink" if binary else "paper"],
                linewidth=1.4 if binary else 0.6,
                alpha=0.9 if binary else 0.7,
            )
        if colorbar and data.task != "multiclass":
            bar = self.figure_.colorbar(self.surface_, ax=ax, label=_broken(_meaning(data), _HIGH))
            bar.outline.set_visible(False)
            small_ticks(bar.ax)
            self.colorbar_ = bar

    def _line(self, frame: Frame) -> None:
        ax, data, roles = self.ax_, self.surface, roles_of(self.ax_)
        assert frame.line is not None
        role = "penalized" if frame.lam else "ink"
        self.lines_ = ax.plot(data.plane.x, frame.line, color=roles[role], linewidth=1.8)
        ax.set_xlim(float(data.plane.x[0]), float(data.plane.x[-1]))
        ax.set_ylabel(_broken(_meaning(data), _HIGH))
        if data.task != "regression":
            ax.set_ylim(-0.06 - 0.05 * len(data.classes) * self.rows, 1.05)
            ax.set_yticks([0, 0.25, 0.5, 0.75, 1])

    def _points(self) -> None:
        ax, data, roles = self.ax_, self.surface, roles_of(self.ax_)
        plane, one = data.plane, data.plane.kind == "one input"
        size, edge = (8, 0.2) if len(plane.points) > _MANY else (14, 0.4)
        look: dict[str, Any] = {"edgecolors": "white", "linewidths": edge, "zorder": 3}
        x, y = plane.points.T
        if not data.classes:
            colours = {"c": roles["train"]} if one else {"c": plane.point_targets}
            if not one:
                look |= {"cmap": "cividis", "vmin": data.values[0], "vmax": data.values[1]}
            self.points_ = [ax.scatter(x, y, s=size, **colours, **look)]
            return
        indices = plane.point_targets.astype(np.intp)
        for index, name in enumerate(data.classes):
            own = indices == index
            places = np.full(int(own.sum()), -0.09 - 0.05 * index) if one else y[own]
            points = ax.scatter(
                x[own],
                places,
                s=size,
                color=class_colour(index),
                marker=_MARKERS[class_marker(index)],
                label=name,
                **look,
            )
            self.points_.append(points)

    def _legend(self, *, own: bool) -> Legend:
        from matplotlib.lines import Line2D

        handles = [
            Line2D(
                [],
                [],
                linestyle="none",
                color=class_colour(index),
                marker=_MARKERS[class_marker(index)],
                markersize=5,
                label=name,
            )
            for index, name in enumerate(self.surface.classes)
        ]
        longest = max(map(len, self.surface.classes))
        columns = max(1, min(len(handles), 5, 40 // (longest + 4)))
        return place_legend(self.ax_, handles, own=own, columns=columns)


def _coloured(
    data: SurfaceFigure, frame: Frame, mode: Any
) -> tuple[NDArray[np.float64], tuple[float, float], Any]:
    """The surface's values, the ends of their colours, and the colours."""
    from matplotlib.colors import ListedColormap

    if data.task == "multiclass":
        colours = class_colours(mode, len(data.classes), data.levels)
        return frame.codes.astype(np.float64), (-0.5, len(colours) - 0.5), ListedColormap(colours)
    low, high = data.values
    values = low + frame.codes / 255.0 * (high - low)
    if data.task == "binary":
        return values, (low, high), ListedColormap(probability_colours(mode))
    return values, (low, high), "cividis"


def _meaning(data: SurfaceFigure) -> str:
    """What is drawn, with its unit where it has one."""
    if data.task == "binary":
        return f"probability of {data.classes[1]}"
    return "probability of the likeliest class" if data.task == "multiclass" else data.target


def _broken(label: str, most: int) -> str:
    """A label in lines of at most so many letters, if need be."""
    if len(label) <= most:
        return label
    return "\n".join(fill(line, most) for line in label.replace(" (", "\n(", 1).splitlines())
