"""Draw learning curves: one plot without and one with the penalty, on one scale."""

from __future__ import annotations

from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from shrinkage.figures.learning import Curves, LearningFigure
from shrinkage.figures.screen.stage import Stage, hover, loss_ticks


def draw_learning(stage: Stage, data: LearningFigure) -> tuple[str, ...]:
    """Add one plot for each pair of curves; their names."""
    names = []
    for curves in data.curves:
        name = "learning-penalized" if curves.penalized else "learning-none"
        stage.add(name, _plot(stage, data, curves), _alternative(data, curves))
        names.append(name)
    return tuple(names)


def _plot(stage: Stage, data: LearningFigure, curves: Curves) -> figure:
    plot = stage.plot(
        "epoch (passes over the training rows)",
        f"{data.loss} ({data.unit}" + (", log scale)" if data.scale == "log" else ")"),
        height=320,
        x_range=Range1d(0, int(curves.epochs[-1])),
        y_range=Range1d(*data.y_range),
        y_axis_type=data.scale,
    )
    if data.scale == "log":
        loss_ticks(plot, *data.y_range)
    source = ColumnDataSource(
        {
            "epoch": curves.epochs,
            "train": curves.train,
            "validation": curves.validation,
            # A logarithmic axis cannot place a filled area's edge at 0.
            "floor": curves.train.clip(min=data.y_range[0]),
        }
    )
    gap = plot.varea("epoch", "floor", "validation", source=source, fill_alpha=0.16)
    stage.paint(gap.glyph, fill_color="penalized" if curves.penalized else "none")
    train = plot.line("epoch", "train", source=source, line_width=2, line_dash=[6, 3])
    line = plot.line("epoch", "validation", source=source, line_width=2.4)
    stage.paint(train.glyph, line_color="train")
    stage.paint(line.glyph, line_color="validation")
    stage.tabulate(
        plot,
        source,
        {
            "epoch": "epoch",
            "validation": f"validation {data.loss} ({data.unit})",
            "train": f"training {data.loss} ({data.unit})",
        },
    )
    hover(
        plot,
        [line],
        [
            ("epoch", "@epoch"),
            ("validation", f"@validation{{0.0000}} {data.unit}"),
            ("training", f"@train{{0.0000}} {data.unit}"),
        ],
        "vline",
    )
    return plot


def _alternative(data: LearningFigure, curves: Curves) -> str:
    return (
        f"{curves.label}: after {curves.epochs[-1]} epochs the validation {data.loss} is "
        f"{curves.validation[-1]:.3g}, {curves.gap:.3g} above that on training rows; the "
        f"least validation {data.loss} is {curves.validation.min():.3g}, at epoch "
        f"{curves.best_epoch}."
    )
