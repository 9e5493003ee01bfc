"""The λ path: losses with their standard errors, the choices of both rules, and exact zeros."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from shrinkage.detect import diagnose
from shrinkage.displays.axes import (
    canvas,
    figure_of,
    loss_label,
    place_legend,
    roles_of,
    scale_losses,
    small_ticks,
    small_type,
)
from shrinkage.displays.sources import choice_of, fitted
from shrinkage.errors import SettingError, require_known
from shrinkage.figures.path import PathFigure, PathPanel, path_of
from shrinkage.study import Study
from shrinkage.tune import Selection, select

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

_TINTS = {"overfitting": 0.10, "good": 0.15, "underfitting": 0.10}
_NAMED = 0.24
"""Least share of the width on which a zone's name fits into one column."""
_LABELS = 8
"""Powers of ten that have room for their labels in one column."""
_CLEAR = 0.12
"""Share of the width to the right of "none" that its label needs."""


class LambdaPathDisplay:
    """Training and validation loss along λ.

    Make one with :meth:`from_estimator` or :meth:`from_study`. Losses are free of the penalty;
    bands are one standard error over the folds to either side. No penalty (λ = 0, which has no
    place on a logarithmic axis) stands at the left, marked 'none'.

    Parameters
    ----------
    path : PathFigure
        What is drawn; the same numbers as in the report.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the losses; x is λ itself, on a logarithmic scale.
    ax_zeros_ : matplotlib Axes or None
        Axes on the right with the share of exact zeros, in percent; None when there are none.
    figure_ : matplotlib Figure
        The figure that they are on.
    lines_ : dict of str to matplotlib Line2D
        ``"train"``, ``"validation"`` and, with exact zeros, ``"zeros"``.
    bands_ : dict of str to matplotlib PolyCollection
        One standard error around ``"train"`` and ``"validation"``.
    marks_ : dict of str to matplotlib Line2D
        The choices ``"minimum"`` and ``"one_standard_error"``, and ``"none"`` for no penalty.
    legend_ : matplotlib Legend
        The legend.

    See Also
    --------
    LearningCurveDisplay : The losses epoch by epoch.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from shrinkage.displays import LambdaPathDisplay
    >>> from shrinkage.estimators import ShrinkageClassifierCV
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> model = ShrinkageClassifierCV(penalty="l1", lambdas=[0.01, 0.1], max_iter=9, random_state=0)
    >>> display = LambdaPathDisplay.from_estimator(model.fit(X, y))
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('λ of L1', 'log loss (nats)')
    """

    ax_: Axes
    ax_zeros_: Axes | None
    figure_: Figure
    lines_: dict[str, Line2D]
    bands_: dict[str, PolyCollection]
    marks_: dict[str, Line2D]
    legend_: Legend

    def __init__(self, *, path: PathFigure) -> None:
        self.path = path

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, penalty: str | None = None, ax: Axes | None = None
    ) -> Self:
        """The path of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted ``ShrinkageClassifierCV`` or ``ShrinkageRegressorCV``, or a pipeline or search
            that ends in one.
        penalty : str, default None
            See :meth:`plot`.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        LambdaPathDisplay
            Drawn.
        """
        inner = fitted(estimator, cls.__name__)
        selection = choice_of(inner, cls.__name__)
        return cls._of(inner.study_, selection).plot(ax, penalty=penalty)

    @classmethod
    def from_study(
        cls,
        study: Study,
        *,
        rule: str = "minimum",
        metric: str | None = None,
        penalty: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """The path of a study.

        Parameters
        ----------
        study : Study
            With fits on folds, some of them without a penalty.
        rule : str, default "minimum"
            Which choice is pointed out: ``"minimum"`` or ``"one_standard_error"``.
        metric : str, default None
            What the rules look at; the loss by default.
        penalty : str, default None
            See :meth:`plot`.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        LambdaPathDisplay
            Drawn.
        """
        return cls._of(study, select(study, rule, metric)).plot(ax, penalty=penalty)

    @classmethod
    def _of(cls, study: Study, selection: Selection) -> Self:
        path = path_of(study, selection, diagnose(study))
        if path is None:
            raise SettingError(
                f"{cls.__name__} needs fits with a penalty on every fold, and there are none; "
                "train at some λ above 0"
            )
        return cls(path=path)

    def plot(self, ax: Axes | None = None, *, penalty: str | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            Where; on a figure of its own by default.
        penalty : str, default None
            Name of the penalty whose path is drawn (``"l1"``); that of the choice by default.

        Returns
        -------
        LambdaPathDisplay
            Itself.
        """
        panel, own = self._panel(penalty), ax is None
        with canvas(type(self).__name__, ax, 3.1) as axes:
            self.ax_, self.figure_ = axes, figure_of(axes)
            self.lines_, self.bands_, self.marks_ = {}, {}, {}
            self._axes(panel)
            self._zones(panel)
            self._losses(panel)
            self._marks(panel)
            self.ax_zeros_ = self._zeros(panel) if panel.zeros.max() > 0 else None
            handles = [*self.lines_.values(), *self.marks_.values()]
            self.legend_ = place_legend(axes, handles, own=own)
        return self

    def _panel(self, penalty: str | None) -> PathPanel:
        panels = {panel.penalty.name: panel for panel in self.path.panels}
        if penalty is None:
            return self.path.panels[0]
        require_known("penalty of this path", penalty, panels)
        return panels[penalty]

    def _axes(self, panel: PathPanel) -> None:
        from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

        ax = self.ax_
        low, high = panel.x_range
        step = ceil((high - low) / _LABELS)
        first = low if panel.edge is None else panel.edge + max(_CLEAR * (high - low), 0.5)
        exponents = [e for e in range(ceil(first), floor(high) + 1) if e % step == 0]
        places = [10.0**exponent for exponent in exponents]
        labels = [f"$10^{{{exponent}}}$" for exponent in exponents]
        if panel.edge is not None:
            places, labels = [10.0**panel.edge, *places], ["none", *labels]
        ax.set_xscale("log")
        ax.set_xlim(10.0**low, 10.0**high)
        ax.xaxis.set_major_locator(FixedLocator(places))
        ax.xaxis.set_major_formatter(FixedFormatter(labels))
        ax.xaxis.set_minor_locator(NullLocator())
        scale_losses(ax, self.path.scale, self.path.y_range)
        ax.set_xlabel(f"λ of {panel.penalty.label}")
        ax.set_ylabel(loss_label(self.path.loss, self.path.unit))

    def _zones(self, panel: PathPanel) -> None:
        ax, roles = self.ax_, roles_of(self.ax_)
        low, high = panel.x_range
        for zone in panel.zones:
            # The outer zones reach the ends, so that no stripe is left without a name.
            start = low if zone.start == panel.x[0] else zone.start
            stop = high if zone.stop == panel.x[-1] else zone.stop
            ax.axvspan(
                10.0**start,
                10.0**stop,
                facecolor=roles[zone.name],
                alpha=_TINTS[zone.name],
                edgecolor="none",
                zorder=0,
            )
            if (stop - start) / (high - low) >= _NAMED:
                ax.text(
                    ((start + stop) / 2 - low) / (high - low),
                    0.98,
                    zone.name,
                    transform=ax.transAxes,
                    ha="center",
                    va="top",
                    color=roles["muted"],
                    fontsize=small_type(),
                )

    def _losses(self, panel: PathPanel) -> None:
        ax, roles, x = self.ax_, roles_of(self.ax_), 10.0**panel.x
        # A logarithmic axis has no place for a band's edge at or below 0.
        least = self.path.y_range[0] / 10 if self.path.scale == "log" else -np.inf
        for name, role, style, label in (
            ("train", "train", "--", "training ± 1 SE"),
            ("validation", "validation", "-", "validation ± 1 SE"),
        ):
            mean, error = getattr(panel, name), getattr(panel, f"{name}_error")
            self.bands_[name] = ax.fill_between(
                x,
                np.maximum(mean - error, least),
                mean + error,
                color=roles[role],
                alpha=0.18,
                linewidth=0,
            )
            (self.lines_[name],) = ax.plot(
                x, mean, style, color=roles[role], marker=".", markersize=4, label=label
            )
        if self.path.null is not None:
            (self.lines_["constant"],) = ax.plot(
                [0, 1],
                [self.path.null] * 2,
                ":",
                transform=ax.get_yaxis_transform(),
                color=roles["muted"],
                linewidth=1,
                label="constant prediction",
            )

    def _marks(self, panel: PathPanel) -> None:
        ax, roles = self.ax_, roles_of(self.ax_)
        for mark in panel.marks:
            if mark.selected:
                ax.axvline(10.0**mark.x, color=roles["penalized"], linewidth=1, zorder=1)
        looks: dict[str, dict[str, Any]] = {
            "minimum": {
                "marker": "D",
                "markersize": 6,
                "markeredgecolor": roles["paper"],
                "label": "least validation loss",
            },
            "one_standard_error": {
                "marker": "o",
                "markersize": 10,
                "markerfacecolor": "none",
                "markeredgewidth": 1.6,
                "label": "strongest within 1 SE",
            },
        }
        for mark in panel.marks:
            (self.marks_[mark.rule],) = ax.plot(
                10.0**mark.x,
                mark.validation,
                linestyle="none",
                color=roles["penalized"],
                zorder=4,
                **looks[mark.rule],
            )
        if panel.edge is not None:
            (self.marks_["none"],) = ax.plot(
                10.0**panel.edge,
                panel.validation[0],
                linestyle="none",
                marker="o",
                markersize=5.5,
                color=roles["none"],
                markeredgecolor=roles["paper"],
                zorder=4,
                label="no penalty",
            )

    def _zeros(self, panel: PathPanel) -> Axes:
        roles = roles_of(self.ax_)
        right: Axes = self.ax_.twinx()
        small_ticks(right)
        (self.lines_["zeros"],) = right.plot(
            10.0**panel.x,
            100 * panel.zeros,
            linestyle=(0, (1, 1.2)),
            marker="s",
            markersize=2.5,
            color=roles["penalized"],
            label="exact zeros (right)",
        )
        right.set_ylim(-3, 114)
        right.set_yticks([0, 25, 50, 75, 100])
        right.set_ylabel("weights exactly zero (%)", color=roles["penalized"])
        right.tick_params(axis="y", labelcolor=roles["penalized"])
        return right
