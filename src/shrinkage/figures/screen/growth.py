"""Draw loss against training rows: both networks, their fitted laws, and where they meet."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Label, Range1d, Span, Whisker
from bokeh.plotting import figure

from shrinkage.figures.growth import GrowthFigure, GrowthLine
from shrinkage.figures.screen.stage import FONT, Stage, hover, loss_ticks

NAME = "growth"


def draw_growth(stage: Stage, data: GrowthFigure) -> str:
    """Add the plot; its name."""
    plot = stage.plot(
        "training rows (logarithmic)",
        f"{data.loss} ({data.unit}{', log scale' if data.scale == 'log' else ''})",
        height=400,
        x_range=Range1d(*data.x_range),
        y_range=Range1d(*data.y_range),
        x_axis_type="log",
        y_axis_type=data.scale,
    )
    plot.xaxis.ticker = FixedTicker(ticks=[place for place, _ in data.ticks])
    plot.xaxis.major_label_overrides = dict(data.ticks)
    if data.scale == "log":
        loss_ticks(plot, *data.y_range)
    here = Span(location=float(data.rows[-1]), dimension="height", line_width=1, level="underlay")
    stage.paint(here, line_color="axis")
    plot.add_layout(here)
    # A logarithmic axis has no place for what lies at or below 0.
    floor = data.y_range[0] / 10 if data.scale == "log" else -np.inf
    for line in data.lines:
        _line(stage, plot, data, line, floor)
    if data.reached is not None:
        _reached(stage, plot, data)
    stage.add(NAME, plot, _alternative(data))
    return NAME


def _line(stage: Stage, plot: figure, data: GrowthFigure, line: GrowthLine, floor: float) -> None:
    role = "penalized" if line.penalized else "none"
    rows, low, high = line.band
    if rows.size:
        band = plot.varea(rows, np.maximum(low, floor), np.maximum(high, floor), fill_alpha=0.13)
        stage.paint(band.glyph, fill_color=role)
    fitted = plot.line(*line.inside, line_width=2.2)
    stage.paint(fitted.glyph, line_color=role)
    if line.beyond[0].size:
        beyond = plot.line(*line.beyond, line_width=2.2, line_dash=[6, 4])
        stage.paint(beyond.glyph, line_color=role)
    source = ColumnDataSource(
        {
            "rows": data.rows,
            "validation": line.validation,
            "train": line.train,
            "low": np.maximum(np.nan_to_num(line.low, nan=-np.inf), floor),
            "high": line.high,
            "shown_train": np.maximum(line.train, floor),
            "gap": list(line.gap),
            "label": [line.label] * data.rows.size,
        }
    )
    if np.isfinite(line.low).all():
        whisker = Whisker(
            source=source, base="rows", lower="low", upper="high", line_width=1.4, level="glyph"
        )
        for head in (whisker.lower_head, whisker.upper_head):
            head.size = 7
            stage.paint(head, line_color=role)
        stage.paint(whisker, line_color=role)
        plot.add_layout(whisker)
    train = plot.line("rows", "shown_train", source=source, line_width=1.6, line_dash=[2, 3])
    stage.paint(train.glyph, line_color=role)
    # Told apart by shape too: circles without, diamonds with the penalty.
    dots = plot.scatter(
        "rows",
        "validation",
        source=source,
        size=11 if line.penalized else 9,
        marker="diamond" if line.penalized else "circle",
        line_width=1,
    )
    stage.paint(dots.glyph, fill_color=role, line_color="paper")
    stage.tabulate(
        plot,
        source,
        {
            "rows": "training rows",
            "validation": f"validation {data.loss} ({data.unit})",
            "low": "low",
            "high": "high",
            "train": f"training {data.loss} ({data.unit})",
        },
        line.label,
    )
    hover(
        plot,
        [dots],
        [
            ("", "@label"),
            ("training rows", "@rows{0,0}"),
            ("validation", f"@validation{{0.0000}} {data.unit}"),
            ("training", f"@train{{0.0000}} {data.unit}"),
            ("gap", "@gap"),
        ],
    )


def _reached(stage: Stage, plot: figure, data: GrowthFigure) -> None:
    """From the penalized network's loss on all rows across to the rows that would do it too."""
    assert data.reached is not None
    rows, loss = data.reached
    across = plot.line([float(data.rows[-1]), rows], [loss, loss], line_width=1.4, line_dash=[1, 3])
    stage.paint(across.glyph, line_color="muted")
    ring = plot.scatter([rows], [loss], size=13, line_width=2.4, fill_color=None)
    stage.paint(ring.glyph, line_color="none")
    near_end = rows > data.x_range[1] / 1.6
    label = Label(
        x=rows,
        y=loss,
        text=data.reached_label,
        text_align="right" if near_end else "center",
        text_baseline="bottom",
        y_offset=12,
        text_font=FONT,
        text_font_size="12px",
    )
    stage.paint(label, text_color="muted")
    plot.add_layout(label)


def _alternative(data: GrowthFigure) -> str:
    plain, penalized = data.lines
    text = (
        f"Mean validation {data.loss} against training rows: without a penalty from "
        f"{plain.validation[0]:.3g} with {data.rows[0]:.0f} rows to {plain.validation[-1]:.3g} "
        f"with {data.rows[-1]:.0f}, {penalized.label} from {penalized.validation[0]:.3g} to "
        f"{penalized.validation[-1]:.3g}"
    )
    if data.reached is not None:
        text += f"; without a penalty that would take {data.reached_label}"
    return f"{text}."
