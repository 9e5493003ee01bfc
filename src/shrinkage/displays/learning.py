"""Losses epoch by epoch: how training and validation part, without and with the penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from shrinkage.detect.gains import Point, point_of
from shrinkage.displays.axes import (
    canvas,
    figure_of,
    loss_label,
    place_legend,
    roles_of,
    scale_losses,
)
from shrinkage.displays.sources import fitted, point_selected
from shrinkage.errors import SettingError
from shrinkage.figures.learning import LearningFigure, learning_of
from shrinkage.study import Study
from shrinkage.tune import select

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D


class LearningCurveDisplay:
    """Training and validation loss after each epoch, without and with the penalty.

    Make one with :meth:`from_estimator` or :meth:`from_study`. Losses are means over the folds and
    free of the penalty. (Loss against the number of rows is another curve: that of scikit-learn's
    display of the same name.)

    Parameters
    ----------
    learning : LearningFigure
        What is drawn; the same numbers as in the report.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the losses.
    figure_ : matplotlib Figure
        The figure that they are on.
    lines_ : dict of (str, str) to matplotlib Line2D
        By what is shown (``"no penalty"``, ``"L2, λ = 0.01"``) and rows (``"train"`` or
        ``"validation"``); no validation rows, no line.
    legend_ : matplotlib Legend
        The legend.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from shrinkage.displays import LearningCurveDisplay
    >>> from shrinkage.estimators import ShrinkageClassifierCV
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> model = ShrinkageClassifierCV(lambdas=[0.001, 0.1], max_iter=10, cv=3, random_state=0)
    >>> display = LearningCurveDisplay.from_estimator(model.fit(X, y))
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('epoch', 'log loss (nats)')
    """

    ax_: Axes
    figure_: Figure
    lines_: dict[tuple[str, str], Line2D]
    legend_: Legend

    def __init__(self, *, learning: LearningFigure) -> None:
        self.learning = learning

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """The curves of a fitted estimator, beside those without a penalty where it has them.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of this package, or a pipeline or search that ends in one.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        LearningCurveDisplay
            Drawn.
        """
        inner = fitted(estimator, cls.__name__)
        return cls._of(inner.study_, point_of(inner.fit_)).plot(ax)

    @classmethod
    def from_study(
        cls,
        study: Study,
        *,
        rule: str = "minimum",
        metric: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """The curves of a study, without a penalty and with the chosen one.

        Parameters
        ----------
        study : Study
            With fits on folds.
        rule : str, default "minimum"
            Which choice: ``"minimum"`` or ``"one_standard_error"``.
        metric : str, default None
            What the rule looks at; the loss by default.
        ax : matplotlib Axes, default None
            See :meth:`plot`.

        Returns
        -------
        LearningCurveDisplay
            Drawn.
        """
        return cls._of(study, point_selected(select(study, rule, metric))).plot(ax)

    @classmethod
    def _of(cls, study: Study, point: Point) -> Self:
        learning = learning_of(study, point)
        if learning is None:
            raise SettingError(
                f"{cls.__name__} needs the losses of at least two epochs, but only those of the "
                "last one were recorded; train for more epochs"
            )
        return cls(learning=learning)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            Where; on a figure of its own by default.

        Returns
        -------
        LearningCurveDisplay
            Itself.
        """
        data = self.learning
        with canvas(type(self).__name__, ax, 2.7) as axes:
            from matplotlib.lines import Line2D

            self.ax_, self.figure_, self.lines_ = axes, figure_of(axes), {}
            roles = roles_of(axes)
            scale_losses(axes, data.scale, data.y_range)
            axes.set_xlim(0, max(int(curves.epochs[-1]) for curves in data.curves))
            axes.set_xlabel("epoch")
            axes.set_ylabel(loss_label(data.loss, data.unit))
            handles = []
            for curves in data.curves:
                colour = roles["penalized" if curves.penalized else "none"]
                handles.append(Line2D([], [], color=colour, linewidth=3, label=curves.label))
                rows = {"train": curves.train} | (
                    {"validation": curves.validation} if curves.validated else {}
                )
                for name, losses in rows.items():
                    (self.lines_[curves.label, name],) = axes.plot(
                        curves.epochs, losses, "-" if name == "validation" else "--", color=colour
                    )
            if any(curves.validated for curves in data.curves):
                handles.append(Line2D([], [], color=roles["ink"], label="validation"))
            handles.append(Line2D([], [], color=roles["ink"], linestyle="--", label="training"))
            self.legend_ = place_legend(axes, handles, own=ax is None)
        return self
