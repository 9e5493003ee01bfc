"""Draw hidden weights: boxes before and after, their densities, and the density that λ moves."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from shrinkage.figures.screen.stage import Stage, hover
from shrinkage.figures.weights import DensityFigure, Scale, WeightsFigure
from shrinkage.verify.weights import ALL, WeightsComparison, WeightsSummary

_DENSITY = {"x": "weight", "density": "density of non-zero weights"}
_ROW, _OFFSET, _HEIGHT = 1.0, 0.19, 0.26


def draw_boxes(stage: Stage, data: WeightsFigure) -> str:
    """Add the box plot, a row for each kernel; its name."""
    rows = len(data.comparisons)
    plot = stage.plot(
        "weight",
        "",
        height=90 + 74 * rows,
        y_range=Range1d(-0.6, rows - 0.4),
    )
    plot.yaxis.ticker = FixedTicker(ticks=list(range(rows)))
    plot.yaxis.major_label_overrides = {
        float(rows - 1 - i): _short(comparison.name)
        for i, comparison in enumerate(data.comparisons)
    }
    plot.yaxis.major_tick_line_color = None
    plot.ygrid.visible = False
    stage.paint(plot.xgrid[0], grid_line_color="line")
    for side, role in (("before", "none"), ("after", "penalized"))[: 2 if data.penalized else 1]:
        sign = 0.0 if not data.penalized else 1.0 if side == "before" else -1.0
        summaries: list[WeightsSummary] = [getattr(one, side) for one in data.comparisons]
        source = _box_source(data, summaries, sign * _OFFSET)
        range_line = plot.segment(
            "minimum", "y", "maximum", "y", source=source, line_width=1, line_dash=[1, 3]
        )
        whisker = plot.segment("q1", "y", "q99", "y", source=source, line_width=2)
        box = plot.hbar(
            "y",
            left="q25",
            right="q75",
            height=_HEIGHT,
            source=source,
            fill_alpha=0.35,
            line_width=1.5,
        )
        median = plot.scatter(
            "q50",
            "y",
            marker="dash",
            fill_color=None,
            angle=np.pi / 2,
            size=18,
            source=source,
            line_width=2.5,
        )
        for renderer in (range_line, whisker, median):
            stage.paint(renderer.glyph, line_color=role)
        stage.paint(box.glyph, line_color=role, fill_color=role)
        stage.tabulate(
            plot,
            source,
            {
                "label": "penalty",
                "kernel": "weights",
                "minimum": "least",
                "q1": "1% quantile",
                "q5": "5% quantile",
                "q25": "25% quantile",
                "q50": "median",
                "q75": "75% quantile",
                "q95": "95% quantile",
                "q99": "99% quantile",
                "maximum": "largest",
                "zeros": "share exactly zero",
                "count": "number of weights",
            },
        )
        # An invisible, wide target: a thin box is hard to point at.
        target = plot.hbar(
            "y",
            left="minimum",
            right="maximum",
            height=0.34,
            source=source,
            fill_alpha=0.0,
            line_alpha=0.0,
        )
        hover(
            plot,
            [target],
            [
                ("", "@label, @kernel"),
                ("median", "@q50{0.0000}"),
                ("middle half", "@q25{0.0000} to @q75{0.0000}"),
                ("98%", "@q1{0.000} to @q99{0.000}"),
                ("range", "@minimum{0.000} to @maximum{0.000}"),
                ("exactly zero", "@zeros{0.0%} of @count{0,0}"),
            ],
        )
    name = "boxes"
    stage.add(name, plot, " ".join(f"{comparison}." for comparison in data.comparisons))
    return name


def _box_source(
    data: WeightsFigure, summaries: list[WeightsSummary], offset: float
) -> ColumnDataSource:
    rows = len(summaries)
    columns = ("q1", "q5", "q25", "q50", "q75", "q95", "q99")
    return ColumnDataSource(
        {
            "y": [rows - 1 - i + offset for i in range(rows)],
            "kernel": [comparison.name for comparison in data.comparisons],
            "label": [one.label for one in summaries],
            "minimum": [one.minimum for one in summaries],
            "maximum": [one.maximum for one in summaries],
            "zeros": [one.zeros for one in summaries],
            "count": [one.count for one in summaries],
            **{column: [one.quantiles[i] for one in summaries] for i, column in enumerate(columns)},
        }
    )


def _short(name: str) -> str:
    return "all hidden layers" if name == ALL else name.removesuffix(" kernel")


def draw_densities(stage: Stage, data: WeightsFigure) -> tuple[str, ...]:
    """Add a density for each kernel; their names."""
    names = []
    for i, (comparison, scale) in enumerate(zip(data.comparisons, data.scales, strict=True)):
        name = f"density-{i}"
        plot = _density(stage, comparison, scale, data.penalized)
        stage.add(name, plot, f"Density of {comparison}.")
        names.append(name)
    return tuple(names)


def _density(stage: Stage, comparison: WeightsComparison, scale: Scale, penalized: bool) -> figure:
    sides = [(comparison.before, "none"), (comparison.after, "penalized")]
    plot = _density_plot(stage, scale, 220)
    for summary, role in sides[: 2 if penalized else 1]:
        source = ColumnDataSource({"x": summary.x, "density": _above(scale, summary)})
        area = plot.varea("x", scale.low, "density", source=source, fill_alpha=0.14)
        line = plot.line("x", "density", source=source, line_width=2)
        stage.paint(area.glyph, fill_color=role)
        stage.paint(line.glyph, line_color=role)
        stage.tabulate(plot, source, _DENSITY, summary.label)
        hover(plot, [line], [(summary.label, "@density{0.000} at @x{0.000}")], "vline")
    return plot


def _density_plot(stage: Stage, scale: Scale, height: int, **settings: Any) -> figure:
    return stage.plot(
        "weight",
        "density of non-zero weights" + (" (log scale)" if scale.kind == "log" else ""),
        height=height,
        y_axis_type=scale.kind,
        y_range=Range1d(scale.low, scale.high),
        **settings,
    )


def _above(scale: Scale, summary: WeightsSummary) -> NDArray[np.float32]:
    """A density that a logarithmic axis can place where it is 0."""
    return np.maximum(summary.density, np.float32(scale.low))


def draw_moving_density(stage: Stage, data: DensityFigure, selected: int) -> str:
    """Add the density that the slider moves, over that without a penalty; its name."""
    scale = data.scale
    plot = _density_plot(stage, scale, 340, x_range=Range1d(float(data.x[0]), float(data.x[-1])))
    still = ColumnDataSource({"x": data.x, "density": _above(scale, data.summaries[0])})
    first = plot.line("x", "density", source=still, line_width=1.6, line_dash=[4, 3])
    stage.paint(first.glyph, line_color="none")
    moved = ColumnDataSource(
        {"x": data.x, "density": _above(scale, data.summaries[selected])}, name="moved-density"
    )
    area = plot.varea("x", scale.low, "density", source=moved, fill_alpha=0.2)
    line = plot.line("x", "density", source=moved, line_width=2.2)
    stage.paint(area.glyph, fill_color="penalized")
    stage.paint(line.glyph, line_color="penalized")
    stage.tabulate(plot, still, _DENSITY, data.summaries[0].label)
    stage.tabulate(plot, moved, _DENSITY, "at the λ of the slider")
    hover(plot, [line], [("weight", "@x{0.000}"), ("density", "@density{0.000}")], "vline")
    # Every λ's density, for the slider to take from; drawn by nothing.
    store = ColumnDataSource(
        {"density": [_above(scale, summary) for summary in data.summaries]}, name="all-densities"
    )
    line.tags = [store]
    stage.add(
        "moving-density",
        plot,
        "Density of all hidden weights at the λ of the slider, over that without a penalty.",
    )
    return "moving-density"
