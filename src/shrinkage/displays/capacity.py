"""Errors, length of the boundary and islands against the width of the hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from shrinkage.displays.axes import (
    canvas,
    figure_of,
    place_legend,
    require_matplotlib,
    roles_of,
    scale_losses,
)
from shrinkage.displays.sources import fitted
from shrinkage.errors import SettingError, require_known
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import REFITS, WIDTHS, CapacitySweep, capacity
from shrinkage.exhibits.capacity_record import Capacity
from shrinkage.figures.capacity import CapacityFigure, WidthLine, WidthPanel, capacity_figure
from shrinkage.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

_NEAR = 0.13
"""Ticks closer than this share of the axis would print over each other."""
_LOOKS: dict[str, tuple[Any, str]] = {
    "train": ("--", "o"),
    "validation": ("-", "o"),
    "test": (":", "D"),
}
_LABELS = {
    "loss": "loss",
    "wrong": "rows wrong",
    "length": "boundary length\nper area (1/SD)",
    "islands": "islands",
}
"""Of the y axes, which have little room."""


class CapacityDisplay:
    """Errors and boundary of networks without a penalty, from narrow to wide.

    Make one with :meth:`from_study`, :meth:`from_record` or :meth:`from_estimator`. Bands are 95 %
    intervals of the means: over folds, over resampled test rows, or over networks. The vertical
    line is the width with the least mean validation loss.

    Parameters
    ----------
    capacity : CapacityFigure
        What is drawn; the same numbers as in the report.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the first panel.
    axes_ : dict of str to matplotlib Axes
        Those of each panel: ``"loss"``, ``"wrong"``, ``"length"``, ``"islands"``.
    figure_ : matplotlib Figure
        The figure that they are on.
    lines_ : dict of (str, str) to matplotlib Line2D
        By panel and rows (``"train"``, ``"validation"``, ``"test"``); the boundary's are
        ``"test"``.
    best_ : matplotlib Line2D or None
        The width with the least mean validation loss; None without a panel of errors.
    legend_ : matplotlib Legend
        The legend.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from shrinkage.displays import CapacityDisplay
    >>> from shrinkage.estimators import ShrinkageClassifierCV
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> model = ShrinkageClassifierCV(lambdas=[0.001], max_iter=10, cv=3, random_state=0)
    >>> display = CapacityDisplay.from_estimator(model.fit(X, y), widths=(1, 4, 16))
    >>> list(display.axes_)
    ['wrong', 'length', 'islands']
    """

    ax_: Axes
    axes_: dict[str, Axes]
    figure_: Figure
    lines_: dict[tuple[str, str], Line2D]
    best_: Line2D | None
    legend_: Legend

    def __init__(self, *, capacity: CapacityFigure) -> None:
        self.capacity = capacity

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        widths: Sequence[int] = WIDTHS,
        layers: int = 1,
        networks: int = REFITS,
        panels: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Train networks of several widths on what an estimator was fitted on.

        Parameters
        ----------
        estimator : estimator
            A fitted ``ShrinkageClassifierCV`` or ``ShrinkageRegressorCV``, or a pipeline or search
            that ends in one: its folds are used, and how it trains.
        widths : sequence of int, default (1, 10, 50, 256, 1000)
            Units of each hidden layer, at least two widths.
        layers : int, default 1
            Hidden layers of that many units.
        networks : int, default 5
            Networks of each width that are trained on every row, for the boundary.
        panels : sequence of str, default None
            See :meth:`plot`.
        ax : matplotlib Axes or sequence of Axes, default None
            See :meth:`plot`.

        Returns
        -------
        CapacityDisplay
            Drawn.
        """
        require_matplotlib(cls.__name__)  # before the training, not after it
        inner = fitted(estimator, cls.__name__)
        data, trial = inner.study_.data, inner.fit_.trial
        if not data.parts:
            raise SettingError(
                f"{cls.__name__} needs folds, but {type(inner).__name__} was fitted without any; "
                f"fit a {type(inner).__name__}CV"
            )
        sweep = CapacitySweep(tuple(widths), layers, networks)
        series = Series(sweep, Basis(data, trial.network, trial.training, trial.seed))
        for _ in series:
            pass
        return cls.from_study(series.study, panels=panels, ax=ax)

    @classmethod
    def from_study(
        cls, study: Study, *, panels: Sequence[str] | None = None, ax: Any = None
    ) -> Self:
        """Draw the fits of a capacity sweep.

        Parameters
        ----------
        study : Study
            Whose trials are those of a :class:`shrinkage.exhibits.capacity.CapacitySweep`.
        panels : sequence of str, default None
            See :meth:`plot`.
        ax : matplotlib Axes or sequence of Axes, default None
            See :meth:`plot`.

        Returns
        -------
        CapacityDisplay
            Drawn.
        """
        record = capacity(study)
        return cls.from_record(record, study.data.target_names[0], panels=panels, ax=ax)

    @classmethod
    def from_record(
        cls,
        record: Capacity,
        target: str = "y",
        *,
        panels: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw what a capacity sweep found.

        Parameters
        ----------
        record : Capacity
            What it found.
        target : str, default "y"
            Name of what is predicted.
        panels : sequence of str, default None
            See :meth:`plot`.
        ax : matplotlib Axes or sequence of Axes, default None
            See :meth:`plot`.

        Returns
        -------
        CapacityDisplay
            Drawn.
        """
        return cls(capacity=capacity_figure(record, target)).plot(ax, panels=panels)

    def plot(self, ax: Any = None, *, panels: Sequence[str] | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default None
            One for each panel, or one whose place the panels share, below each other; on a figure
            of its own by default.
        panels : sequence of str, default None
            Which of ``"loss"``, ``"wrong"``, ``"length"`` and ``"islands"``; by default the error
            (rows predicted wrongly, or the loss of a regression) and what there is of the boundary.

        Returns
        -------
        CapacityDisplay
            Itself.
        """
        shown = self._panels(panels)
        own = ax is None
        given = None if own or not hasattr(ax, "__len__") else list(np.ravel(ax))
        if given is not None and len(given) != len(shown):
            raise SettingError(
                f"{type(self).__name__} draws {len(shown)} panels, but {len(given)} axes were "
                "given; give as many, or name panels"
            )
        first = given[0] if given else ax
        with canvas(type(self).__name__, first, 1.0 + 1.25 * len(shown)) as axes:
            self.figure_ = figure_of(axes)
            places = given or _below_each_other(axes, len(shown))
            self.axes_ = {panel.name: place for panel, place in zip(shown, places)}
            self.ax_, self.lines_, self.best_ = places[0], {}, None
            for panel in shown:
                self._panel(panel, last=panel is shown[-1] or given is not None)
            if own:
                self.figure_.align_ylabels(places)
            widest = max(shown, key=lambda panel: len(panel.lines))
            handles = [self.lines_[widest.name, line.role] for line in widest.lines]
            handles += [] if self.best_ is None else [self.best_]
            self.legend_ = place_legend(self.axes_[widest.name], handles, own=own)
        return self

    def _panels(self, names: Sequence[str] | None) -> list[WidthPanel]:
        every = {panel.name: panel for panel in (*self.capacity.errors, *self.capacity.complexity)}
        if names is None:
            return [self.capacity.errors[-1], *self.capacity.complexity]
        if not names:
            raise SettingError(f"panels is empty; name some of: {', '.join(every)}")
        for name in names:
            require_known("panel", name, every)
        return [every[name] for name in names]

    def _panel(self, panel: WidthPanel, *, last: bool) -> None:
        from matplotlib.ticker import (
            FixedFormatter,
            FixedLocator,
            MaxNLocator,
            NullLocator,
            PercentFormatter,
        )

        ax = self.axes_[panel.name]
        widths = self.capacity.widths
        ax.set_xscale("log")
        margin = (widths[-1] / widths[0]) ** 0.04
        ax.set_xlim(widths[0] / margin, widths[-1] * margin)
        ticks = _apart(widths)
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_major_formatter(FixedFormatter([f"{width:,}" for width in ticks]))
        ax.xaxis.set_minor_locator(NullLocator())
        scale_losses(ax, panel.scale, panel.y_range)
        if panel.name == "islands":
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        if panel.percent:
            ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_ylabel(panel.title if panel.name == "loss" else _LABELS[panel.name])
        ax.tick_params(labelbottom=last)
        if last:
            ax.set_xlabel("units in a hidden layer")
        if panel.best is not None:
            self.best_ = ax.axvline(
                10.0**panel.best,
                color=roles_of(ax)["penalized"],
                linewidth=1,
                zorder=0,
                label="least validation loss",
            )
        for line in panel.lines:
            self._line(ax, panel, line)

    def _line(self, ax: Axes, panel: WidthPanel, line: WidthLine) -> None:
        role = "validation" if len(panel.lines) == 1 else line.role
        colour = roles_of(ax)[role]
        style, marker = _LOOKS[role]
        # A logarithmic axis cannot place 0 and what is below it.
        least = panel.y_range[0] if panel.scale == "log" else -np.inf
        x = 10.0**line.x
        # Three bands would cover each other; the training rows' is the narrowest, and left out.
        if line.role != "train":
            low = np.maximum(line.low, least)
            ax.fill_between(x, low, line.high, color=colour, alpha=0.14, linewidth=0)
        (self.lines_[panel.name, line.role],) = ax.plot(
            x,
            np.maximum(line.values, least),
            style,
            color=colour,
            marker=marker,
            markersize=3.5,
            label=line.label,
        )


def _below_each_other(ax: Axes, rows: int) -> list[Axes]:
    """Axes that share the place of one."""
    if rows == 1:
        return [ax]
    place = ax.get_subplotspec()
    if place is None:
        raise SettingError(
            f"{rows} panels need axes that are a subplot, to share its place; give {rows} axes, or "
            "name one panel"
        )
    figure = ax.figure
    ax.set_axis_off()
    grid = place.subgridspec(rows, 1)
    return [figure.add_subplot(grid[row]) for row in range(rows)]


def _apart(widths: Sequence[int]) -> list[int]:
    """The widths whose labels have room, the widest first."""
    whole = np.log(widths[-1] / widths[0])
    shown: list[int] = []
    for width in reversed(widths):
        if not shown or np.log(shown[-1] / width) > _NEAR * whole:
            shown.append(width)
    return shown[::-1]
