"""Draw capacity: a small picture of each boundary, and lines over the width."""

from __future__ import annotations

from math import log10

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, NumeralTickFormatter, Range1d, Span
from bokeh.plotting import figure

from shrinkage.figures.capacity import CapacityFigure, WidthLine, WidthPanel
from shrinkage.figures.screen.stage import Stage, hover, loss_ticks
from shrinkage.figures.screen.surface import draw_stills

_NEAR = 0.13
"""Ticks closer than this share of the axis would print over each other."""
_MARKERS = {"train": "circle", "validation": "circle", "test": "diamond"}


def draw_boundaries(stage: Stage, data: CapacityFigure) -> tuple[str, ...]:
    """Add a small picture for each width; their names."""
    if data.surfaces is None:
        return ()
    return draw_stills(stage, data.surfaces, "capacity-boundary", height=210)


def draw_panels(
    stage: Stage, data: CapacityFigure, panels: tuple[WidthPanel, ...]
) -> tuple[str, ...]:
    """Add a plot for each panel; their names."""
    names = []
    for panel in panels:
        name = f"capacity-{panel.name}"
        stage.add(name, _plot(stage, data, panel), _alternative(data, panel))
        names.append(name)
    return tuple(names)


def _plot(stage: Stage, data: CapacityFigure, panel: WidthPanel) -> figure:
    low, high = log10(data.widths[0]), log10(data.widths[-1])
    margin = 0.04 * (high - low)
    plot = stage.plot(
        "units in a hidden layer (log scale)",
        panel.title + (", log scale" if panel.scale == "log" else ""),
        height=300,
        x_range=Range1d(low - margin, high + margin),
        y_range=Range1d(*panel.y_range),
        y_axis_type=panel.scale,
    )
    shown: list[int] = []
    for width in reversed(data.widths):
        if not shown or log10(shown[-1]) - log10(width) > _NEAR * (high - low):
            shown.append(width)
    plot.xaxis.ticker = FixedTicker(ticks=[log10(width) for width in shown])
    plot.xaxis.major_label_overrides = {log10(width): f"{width:,}" for width in shown}
    if panel.scale == "log":
        loss_ticks(plot, *panel.y_range)
    if panel.percent:
        plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    if panel.best is not None:
        mark = Span(location=panel.best, dimension="height", line_width=2, level="underlay")
        stage.paint(mark, line_color="penalized")
        plot.add_layout(mark)
    for line in panel.lines:
        _draw(stage, plot, panel, line)
    return plot


def _draw(stage: Stage, plot: figure, panel: WidthPanel, line: WidthLine) -> None:
    alone = len(panel.lines) == 1
    role = "validation" if alone else line.role
    # A logarithmic axis cannot place 0 and what is below it.
    floor = panel.y_range[0] if panel.scale == "log" else -np.inf
    source = ColumnDataSource(
        {
            "x": line.x,
            "width": [f"{10**x:,.0f}" for x in line.x],
            "value": line.values.clip(min=floor),
            "low": line.low.clip(min=floor),
            "high": line.high,
        }
    )
    # Three bands would cover each other; the training rows' is the narrowest, and left out.
    if line.role != "train":
        band = plot.varea("x", "low", "high", source=source, fill_alpha=0.12)
        stage.paint(band.glyph, fill_color=role)
    dash = {"train": [6, 3], "validation": "solid", "test": [2, 3]}[role]
    drawn = plot.line("x", "value", source=source, line_width=2.2, line_dash=dash)
    dots = plot.scatter(
        "x", "value", source=source, marker=_MARKERS[role], size=9 if role == "test" else 7
    )
    stage.paint(drawn.glyph, line_color=role)
    stage.paint(dots.glyph, line_color=role, fill_color=role)
    stage.tabulate(
        plot,
        source,
        {"width": "units in a hidden layer", "value": panel.title, "low": "low", "high": "high"},
        line.label,
    )
    digits = "0.0%" if panel.percent else "0.000"
    hover(
        plot,
        [dots],
        [
            ("", line.label),
            ("units", "@width"),
            ("mean", f"@value{{{digits}}}"),
            ("interval", f"@low{{{digits}}} to @high{{{digits}}}"),
        ],
    )


def _alternative(data: CapacityFigure, panel: WidthPanel) -> str:
    parts = [
        f"{line.label}: "
        + ", ".join(
            f"{value:.1%}" if panel.percent else f"{value:.3g}" for value in line.values.tolist()
        )
        for line in panel.lines
    ]
    widths = ", ".join(f"{width:,}" for width in data.widths)
    return f"{panel.title} with {widths} units. {'. '.join(parts)}."
