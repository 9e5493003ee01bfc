"""Draw what only the lesson has: charts of any lines, and matrices with their exact zeros blank."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, log10

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from shrinkage.figures.colours import MODES, ROLES, Mode, mix
from shrinkage.figures.screen.stage import Stage, hover, power_label
from shrinkage.lesson.pictures import Chart, Line

DASHES = ("solid", "dashed", "dotted")
"""What lines are drawn with; those that share a role take turns."""
_USUAL = {"train": DASHES.index("dashed"), "test": DASHES.index("dotted")}
"""Where a role is not drawn solid, here as in every figure of a report."""
_MARKERS = ("circle", "diamond", "square")
_STRIP, _SQUARE, _FLAT = 70, 220, 16
"""Heights in CSS pixels of a flat matrix and of others, and most rows of a flat one."""
_FAINTEST = 0.25
_FEW = 3
"""Lines whose values may all be shown at once."""
_WIDE = 70
"""Characters that tick labels in a row have room for, on a wide page; more of them are slanted."""
_TOLD = 20
"""Most points of a line that its words list."""
_MAGNITUDE = "magnitude"


def dashes_of(lines: tuple[Line, ...]) -> list[int]:
    """For each line a place in :data:`DASHES`: its role's own, another where that is taken."""
    before = [sum(other.role == line.role for other in lines[:i]) for i, line in enumerate(lines)]
    return [
        (_USUAL.get(line.role, 0) + count) % len(DASHES)
        for line, count in zip(lines, before, strict=True)
    ]


def draw_chart(stage: Stage, chart: Chart, name: str) -> str:
    """Add a chart under a name."""
    x_scale = " (log scale)" if chart.x_scale == "log" else ""
    y_scale = " (log scale)" if chart.y_scale == "log" else ""
    plot = stage.plot(
        chart.x_label + x_scale,
        chart.y_label + y_scale,
        height=300,
        x_range=Range1d(*_ends(chart, "x")),
        y_range=Range1d(*_ends(chart, "y")),
        x_axis_type=chart.x_scale,
        y_axis_type=chart.y_scale,
    )
    _ticks(plot, chart)
    for line, place in zip(chart.lines, dashes_of(chart.lines), strict=True):
        _draw_line(stage, plot, line, place, chart)
    stage.add(name, plot, _alternative(chart))
    return name


def _ends(chart: Chart, axis: str) -> tuple[float, float]:
    """Where an axis begins and ends: around every point and band, with a margin."""
    arrays = [getattr(line, axis) for line in chart.lines]
    if axis == "y":
        arrays += [end for line in chart.lines for end in (line.low, line.high) if end is not None]
    values = np.concatenate(arrays)
    logarithmic = (chart.x_scale if axis == "x" else chart.y_scale) == "log"
    values = values[np.isfinite(values) & ((values > 0) | (not logarithmic))]
    if not values.size:
        return (0.1, 1.0) if logarithmic else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        margin = 0.06 * (log10(high) - log10(low)) or 0.5
        return 10 ** (log10(low) - margin), 10 ** (log10(high) + margin)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _ticks(plot: figure, chart: Chart) -> None:
    if chart.ticks:
        plot.xaxis.ticker = FixedTicker(ticks=[place for place, _ in chart.ticks])
        plot.xaxis.major_label_overrides = dict(chart.ticks)
        if sum(len(label) for _, label in chart.ticks) > _WIDE:
            plot.xaxis.major_label_orientation = 0.6  # radians
            plot.height += 40
    for axis, scale, ends, own in (
        (plot.xaxis, chart.x_scale, plot.x_range, not chart.ticks),
        (plot.yaxis, chart.y_scale, plot.y_range, True),
    ):
        if scale == "log" and own:
            _log_ticks(axis, ends.start, ends.end)


def _log_ticks(axis: figure, low: float, high: float) -> None:
    """Powers of ten, with 2 and 5 of each where there is room; in plain digits where they suit."""
    decades = log10(high) - log10(low)
    digits = (1, 2, 5) if decades < 2.5 else (1,)
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    places = [digit * 10.0**power for power in powers for digit in digits]
    shown = [place for place in places if low <= place <= high]
    axis.ticker = FixedTicker(ticks=shown)
    axis.major_label_overrides = {place: _plain(place) for place in shown}


def _plain(value: float) -> str:
    return f"{value:g}" if 1e-4 <= value < 1e5 else power_label(round(log10(value)))


def _draw_line(stage: Stage, plot: figure, line: Line, place: int, chart: Chart) -> None:
    least = plot.y_range.start if chart.y_scale == "log" else -np.inf
    low = line.y if line.low is None else line.low
    high = line.y if line.high is None else line.high
    names = dict(chart.ticks)
    source = ColumnDataSource(
        {
            "x": line.x,
            "y": np.maximum(line.y, least),
            "low": np.maximum(low, least),
            "high": np.maximum(high, least),
            "place": [names.get(float(x), f"{x:.3g}") for x in line.x],
        }
    )
    if line.low is not None and np.isfinite(low).all() and np.isfinite(high).all():
        band = plot.varea("x", "low", "high", source=source, fill_alpha=0.12)
        stage.paint(band.glyph, fill_color=line.role)
    drawn = plot.line("x", "y", source=source, line_width=2.2, line_dash=DASHES[place])
    stage.paint(drawn.glyph, line_color=line.role)
    pointed = drawn
    if line.markers:
        pointed = plot.scatter("x", "y", source=source, marker=_MARKERS[place], size=7)
        stage.paint(pointed.glyph, line_color=line.role, fill_color=line.role)
    columns = {"place": chart.x_label or "way", "y": chart.y_label}
    if line.low is not None:
        columns |= {"low": "interval from", "high": "interval to"}
    stage.tabulate(plot, source, columns, line.label)
    # Labels are the package's own words, never the data's.
    rows = [("", line.label), ("at", "@place"), ("value", "@y{0.000}")]
    if line.low is not None:
        rows.append(("interval", "@low{0.000} to @high{0.000}"))
    hover(plot, [pointed], rows, "vline" if len(chart.lines) <= _FEW else "mouse")


def _alternative(chart: Chart) -> str:
    lines = [
        f"{line.label}: " + ", ".join(f"{value:.3g}" for value in line.y.tolist())
        for line in chart.lines
    ]
    names = [label for _, label in chart.ticks] or [f"{x:.3g}" for x in chart.lines[0].x.tolist()]
    along = f"{chart.y_label} against {chart.x_label}"
    if any(line.y.size > _TOLD for line in chart.lines):
        return f"{along}."
    return f"{along} ({', '.join(names)}). {'. '.join(lines)}."


def draw_matrix(stage: Stage, label: str, kernel: NDArray[np.float32], name: str) -> str:
    """Add a picture of a kernel: darker is larger, blank is exactly zero."""
    stage.add_palette(_MAGNITUDE, *(_magnitudes(mode) for mode in MODES))
    rows, columns = kernel.shape
    flat = rows <= _FLAT
    plot = stage.plot(
        "unit of the layer",
        "",
        height=_STRIP if flat else _SQUARE,
        x_range=Range1d(-0.5, columns - 0.5),
        y_range=Range1d(rows - 0.5, -0.5),
    )
    plot.axis.visible = False
    plot.ygrid.visible = False
    plot.min_border = plot.min_border_right = 1
    stage.paint(plot, outline_line_color="axis")
    mapper = LinearColorMapper(palette=["#000000"], low=0, high=255)
    stage.paint(mapper, palette=_MAGNITUDE)
    plot.image(
        "codes",
        x=-0.5,
        y=-0.5,
        dw=columns,
        dh=rows,
        source=ColumnDataSource({"codes": [_codes(kernel)]}),
        color_mapper=mapper,
    )
    zeros = float(np.mean(kernel == 0.0))
    stage.add(
        name,
        plot,
        f"{label}: {rows} × {columns} weights, {zeros:.1%} of them exactly zero.",
    )
    return name


def _codes(kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0 for an exact zero, else 1 to 255 by the root of the magnitude, so that small ones show."""
    size = np.abs(kernel.astype(np.float64))
    largest = size.max()
    if largest == 0:
        return np.zeros(kernel.shape, dtype=np.uint8)
    codes = 1 + np.rint(254 * np.sqrt(size / largest))
    return np.where(size == 0, 0, codes).astype(np.uint8)


def _magnitudes(mode: Mode) -> list[str]:
    """The paper for zero, then from faint to the ink."""
    paper, ink = ROLES[mode]["paper"], ROLES[mode]["penalized"]
    shares = _FAINTEST + (1 - _FAINTEST) * np.linspace(0, 1, 255)
    return [paper, *(mix(paper, ink, float(share)) for share in shares)]


def renamed(stage: Stage, old: str, new: str) -> str:
    """Give a drawing another name, so that a page can hold several of its kind."""
    drawing = stage.drawings.pop(old)
    drawing.plot.name = new
    stage.drawings[new] = replace(drawing, name=new)
    return new
