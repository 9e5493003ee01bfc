"""Weights before and after: their density, a box plot of each side, and exact zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from shrinkage.displays.axes import canvas, figure_of, place_legend, roles_of, scale_losses
from shrinkage.displays.sources import beside, fitted, point_selected
from shrinkage.errors import require_known
from shrinkage.figures.weights import WeightsFigure, weights_of
from shrinkage.penalties import describe
from shrinkage.study import Fit, Study
from shrinkage.tune import select
from shrinkage.verify.verification import sides_of
from shrinkage.verify.weights import QUANTILES, WeightsSummary, compare_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

_BOX = 0.62
"""Height of a box, of the distance to the next."""


class WeightDistributionDisplay:
    """The weights that a penalty acts on, without and with it.

    Make one with :meth:`from_estimator` or :meth:`from_study`. The density is of the weights that
    are not exactly zero and integrates to their share; the share of exact zeros, which have no
    density, stands in the legend. A box holds the middle half of all weights with their median,
    its whiskers 98 %, and the dotted line all of them.

    Parameters
    ----------
    weights : WeightsFigure
        What is drawn; the same numbers as in the report.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the densities.
    ax_boxes_ : matplotlib Axes
        Axes with the boxes, above them.
    figure_ : matplotlib Figure
        The figure that they are on.
    lines_ : dict of str to matplotlib Line2D
        The densities ``"before"`` and, with a penalty, ``"after"``; one alone is ``"after"``.
    areas_ : dict of str to matplotlib PolyCollection
        What is under them.
    boxes_ : dict of str to dict
        For each side the artists that :meth:`matplotlib.axes.Axes.bxp` returns.
    legend_ : matplotlib Legend
        The legend.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from shrinkage.displays import WeightDistributionDisplay
    >>> from shrinkage.estimators import ShrinkageClassifierCV
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> model = ShrinkageClassifierCV(penalty="l1", lambdas=[0.01], max_iter=10, random_state=0)
    >>> display = WeightDistributionDisplay.from_estimator(model.fit(X, y))
    >>> display.ax_.get_xlabel()
    'weight (all hidden kernels)'
    """

    ax_: Axes
    ax_boxes_: Axes
    figure_: Figure
    lines_: dict[str, Line2D]
    areas_: dict[str, PolyCollection]
    boxes_: dict[str, dict[str, Any]]
    legend_: Legend

    def __init__(self, *, weights: WeightsFigure) -> None:
        self.weights = weights

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, kernel: str | None = None, ax: Axes | None = None
    ) -> Self:
        """The weights of a fitted estimator, beside those without a penalty where it has them.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of this package, or a pipeline or search that ends in one.
        kernel : str, default None
            See :meth:`plot`.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        WeightDistributionDisplay
            Drawn.
        """
        inner = fitted(estimator, cls.__name__)
        return cls._of(beside(inner.fit_, inner.study_), inner.fit_).plot(ax, kernel=kernel)

    @classmethod
    def from_study(
        cls,
        study: Study,
        *,
        rule: str = "minimum",
        metric: str | None = None,
        kernel: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """The weights without a penalty and with the chosen one, trained on every training row.

        Parameters
        ----------
        study : Study
            With fits on every training row, without a penalty and with the chosen one.
        rule : str, default "minimum"
            Which choice: ``"minimum"`` or ``"one_standard_error"``.
        metric : str, default None
            What the rule looks at; the loss by default.
        kernel : str, default None
            See :meth:`plot`.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        WeightDistributionDisplay
            Drawn.
        """
        selection = select(study, rule, metric)
        before, after = sides_of(study.principal, point_selected(selection))
        return cls._of(before[0], after[0]).plot(ax, kernel=kernel)

    @classmethod
    def _of(cls, before: Fit, after: Fit) -> Self:
        labels = tuple(describe(fit.trial.penalty, fit.trial.lam) for fit in (before, after))
        return cls(weights=weights_of(compare_weights(before, after, (labels[0], labels[1]))))

    def plot(self, ax: Axes | None = None, *, kernel: str | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            Where; on a figure of its own by default.
        kernel : str, default None
            Which weights: ``"layer 1 kernel"``, …; all hidden ones together by default.

        Returns
        -------
        WeightDistributionDisplay
            Itself.
        """
        names = [comparison.name for comparison in self.weights.comparisons]
        if kernel is not None:
            require_known("kernel", kernel, names)
        place = 0 if kernel is None else names.index(kernel)
        shown, scale = self.weights.comparisons[place], self.weights.scales[place]
        sides = {"before": shown.before, "after": shown.after}
        if not self.weights.penalized:
            del sides["before"]
        with canvas(type(self).__name__, ax, 3.0) as axes:
            self.ax_, self.figure_ = axes, figure_of(axes)
            self.lines_, self.areas_, self.boxes_ = {}, {}, {}
            scale_losses(axes, scale.kind, (scale.low, scale.high))
            axes.set_xlim(float(shown.before.x[0]), float(shown.before.x[-1]))
            axes.set_xlabel(f"weight ({shown.name})")
            axes.set_ylabel("density of non-zero weights")
            for side, summary in sides.items():
                self._density(side, summary, scale.low)
            self._boxes(sides)
            handles = list(self.lines_.values())
            self.legend_ = place_legend(axes, handles, own=ax is None, columns=1)
        return self

    def _density(self, side: str, summary: WeightsSummary, least: float) -> None:
        colour = self._colour(summary)
        # A logarithmic axis has no place for a density of 0.
        height = np.maximum(summary.density, np.float32(least))
        self.areas_[side] = self.ax_.fill_between(
            summary.x, least, height, color=colour, alpha=0.16, linewidth=0
        )
        (self.lines_[side],) = self.ax_.plot(
            summary.x,
            height,
            "-" if summary.lam else "--",
            color=colour,
            label=f"{summary.label}: {summary.zeros:.1%} exact zeros",
        )

    def _boxes(self, sides: dict[str, WeightsSummary]) -> None:
        top = self.ax_.inset_axes((0.0, 1.03, 1.0, 0.13 * len(sides)), sharex=self.ax_)
        self.ax_boxes_ = top
        for place, (side, summary) in enumerate(reversed(sides.items())):
            of = dict(zip(QUANTILES, summary.quantiles))
            colour = self._colour(summary)
            line = {"color": colour}
            drawn = {
                "med": of[0.5],
                "q1": of[0.25],
                "q3": of[0.75],
                "whislo": of[0.01],
                "whishi": of[0.99],
                "fliers": [],
            }
            self.boxes_[side] = top.bxp(
                [drawn],
                positions=[place],
                widths=_BOX,
                orientation="horizontal",
                showfliers=False,
                manage_ticks=False,
                boxprops=line,
                whiskerprops=line,
                capprops=line,
                medianprops=line | {"linewidth": 2.2},
            )
            ends = [summary.minimum, summary.maximum]
            top.plot(ends, [place] * 2, ":", linewidth=1, color=colour)
        top.set_ylim(-0.6, len(sides) - 0.4)
        top.axis("off")

    def _colour(self, summary: WeightsSummary) -> str:
        return roles_of(self.ax_)["penalized" if summary.lam else "none"]
