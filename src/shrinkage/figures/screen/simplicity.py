"""Draw slopes, margins and reliability, without and with the penalty."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, log10

from bokeh.models import ColumnDataSource, FixedTicker, Range1d, Span
from bokeh.plotting import figure

from shrinkage.figures.screen.stage import Stage, hover
from shrinkage.figures.simplicity import Cumulated, Floats, SimplicityFigure
from shrinkage.verify.calibration import Bin

_HEIGHT = 280
_LONG = 500  # ratio of the ends of a logarithmic axis from which on powers of ten are enough


def draw_slopes(stage: Stage, data: SimplicityFigure) -> str | None:
    """Add the cumulated slopes at the training rows; the drawing's name, None without slopes."""
    slopes = data.slopes
    if slopes is None:
        return None
    name = "slopes"
    plot = stage.plot(
        f"slope ({slopes.unit}, log scale)",
        "share of rows with at most this slope",
        height=_HEIGHT,
        x_axis_type="log",
        x_range=Range1d(*slopes.x_range),
        y_range=Range1d(0, 1.02),
    )
    _ticks(plot, *slopes.x_range)
    _curves(stage, plot, data, slopes, "slope")
    middles = [f"{label} {values[100]:.3g}" for label, _, values in _sides(data, slopes)]
    stage.add(
        name,
        plot,
        f"Half of the training rows have a slope of at most: {'; '.join(middles)}.",
    )
    return name


def _ticks(plot: figure, low: float, high: float) -> None:
    """On a logarithmic x axis 1, 2 and 5 of every power of ten, or the powers where it is long."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    digits = (1, 2, 5) if high / low < _LONG else (1,)
    places = [digit * 10.0**power for power in powers for digit in digits]
    shown = [place for place in places if low <= place <= high]
    plot.xaxis.ticker = FixedTicker(ticks=shown)
    plot.xaxis.major_label_overrides = {place: f"{place:g}" for place in shown}


def draw_margins(stage: Stage, data: SimplicityFigure) -> str | None:
    """Add the cumulated margins at the test rows; the drawing's name, None for a regression."""
    if data.margins is None:
        return None
    name = "margins"
    plot = stage.plot(
        f"margin ({data.margins.unit})",
        "share of rows with at most this margin",
        height=_HEIGHT,
        x_range=Range1d(*data.margins.x_range),
        y_range=Range1d(0, 1.02),
    )
    zero = Span(location=0, dimension="height", line_dash=[4, 3], line_width=1)
    stage.paint(zero, line_color="muted")
    plot.add_layout(zero)
    _curves(stage, plot, data, data.margins, "margin")
    middles = [f"{label} {values[100]:.3g}" for label, _, values in _sides(data, data.margins)]
    stage.add(name, plot, f"The median margin at the test rows is: {'; '.join(middles)}.")
    return name


def draw_reliability(stage: Stage, data: SimplicityFigure) -> str | None:
    """Add accuracy over confidence; the drawing's name, None for a regression."""
    if data.reliability is None:
        return None
    name, low = "reliability", data.least_confidence
    sides = [(data.before, "none", data.reliability.before)]
    if data.penalized:
        sides.append((data.after, "penalized", data.reliability.after))
    lowest = min(one.accuracy for _, _, bins in sides for one in bins)
    plot = stage.plot(
        "confidence (probability of the predicted class)",
        "share of rows that are right",
        height=_HEIGHT,
        x_range=Range1d(low - 0.02, 1.02),
        y_range=Range1d(min(low, lowest) - 0.04, 1.04),
    )
    diagonal = plot.line([low, 1.0], [low, 1.0], line_width=1.2, line_dash=[4, 3])
    stage.paint(diagonal.glyph, line_color="muted")
    for label, role, bins in sides:
        source = _bins(label, bins)
        line = plot.line("confidence", "accuracy", source=source, line_width=1.6)
        marker = "circle" if role == "none" else "diamond"
        points = plot.scatter(
            "confidence", "accuracy", size="size", marker=marker, source=source, fill_alpha=0.75
        )
        stage.paint(line.glyph, line_color=role)
        stage.paint(points.glyph, line_color=role, fill_color=role)
        hover(
            plot,
            [points],
            [
                ("", "@label"),
                ("confidence", "@confidence{0.0%}"),
                ("right", "@accuracy{0.0%}"),
                ("rows", "@rows{0,0}"),
            ],
        )
        stage.tabulate(
            plot,
            source,
            {"confidence": "confidence", "accuracy": "share that is right", "rows": "rows"},
            label,
        )
    stage.add(name, plot, " ".join(_words(label, bins) for label, _, bins in sides))
    return name


def _sides(data: SimplicityFigure, cumulated: Cumulated) -> Iterator[tuple[str, str, Floats]]:
    yield data.before, "none", cumulated.values.before
    if data.penalized:
        yield data.after, "penalized", cumulated.values.after


def _curves(
    stage: Stage, plot: figure, data: SimplicityFigure, cumulated: Cumulated, noun: str
) -> None:
    for label, role, values in _sides(data, cumulated):
        source = ColumnDataSource({"value": values, "share": cumulated.shares})
        source.data["label"] = [label] * len(cumulated.shares)
        line = plot.line(
            "value",
            "share",
            source=source,
            line_width=2.2,
            line_dash=[5, 3] if role == "none" else [],
        )
        stage.paint(line.glyph, line_color=role)
        hover(plot, [line], [("", "@label"), (noun, "@value{0.000}"), ("share", "@share{0.0%}")])
        stage.tabulate(
            plot,
            source,
            {"value": f"{noun} ({cumulated.unit})", "share": "share of rows at most that"},
            label,
        )


def _bins(label: str, bins: tuple[Bin, ...]) -> ColumnDataSource:
    return ColumnDataSource(
        {
            "label": [label] * len(bins),
            "confidence": [one.confidence for one in bins],
            "accuracy": [one.accuracy for one in bins],
            "rows": [one.rows for one in bins],
            # Area in proportion to the share of rows.
            "size": [6 + 22 * one.share**0.5 for one in bins],
        }
    )


def _words(label: str, bins: tuple[Bin, ...]) -> str:
    pairs = [f"{one.accuracy:.0%} right where {one.confidence:.0%} sure" for one in bins]
    return f"{label}: {', '.join(pairs)}."
