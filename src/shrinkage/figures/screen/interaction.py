"""Draw the interaction map: a cell for each λ and dropout, the ridge, and what is as good."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, Range1d
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from shrinkage.figures.interaction import InteractionFigure
from shrinkage.figures.screen.stage import FONT, Stage, hover

NAME = "interaction"

_CELL = 44  # CSS pixels of a cell's height
_BRIGHT = 0.5  # share of the palette above which a cell's number is dark
_DARK_TEXT, _BRIGHT_TEXT = "#1b1f24", "#ffffff"
_BEST = "#e69f00"  # orange of Okabe & Ito; the same on the palette's blue in light and dark


def draw_interaction(stage: Stage, data: InteractionFigure) -> str:
    """Add the map; its name."""
    top, right = float(data.y.max()) + 0.5, float(data.x.max()) + 0.5
    plot = stage.plot(
        "dropout (share of hidden units)",
        f"λ of {data.penalty}",
        height=round(_CELL * (top + 0.5)) + 30,
        x_range=Range1d(-0.5, right),
        y_range=Range1d(-0.5, top),
    )
    plot.ygrid.visible = False
    for axis, places in ((plot.xaxis, data.columns), (plot.yaxis, data.rows)):
        axis.ticker = FixedTicker(ticks=[place for place, _ in places])
        axis.major_label_overrides = dict(places)
        axis.major_tick_line_color = None
        axis.axis_line_color = None
    _cells(stage, plot, data)
    _ridge(plot, data)
    stage.add(NAME, plot, _alternative(data))
    return NAME


def _cells(stage: Stage, plot: figure, data: InteractionFigure) -> None:
    # The same colours in light and dark: the numbers in the cells are read against them.
    failed = ~np.isfinite(data.loss)
    codes = np.where(failed, 0.0, data.colour)
    source = ColumnDataSource(
        {
            "x": data.x,
            "y": data.y,
            "colour": np.where(failed, np.nan, data.colour),
            "text": list(data.shown),
            "ink": [
                _DARK_TEXT if code > _BRIGHT or bad else _BRIGHT_TEXT
                for code, bad in zip(codes, failed, strict=True)
            ],
            "lam": list(data.lam),
            "dropout": list(data.dropout),
            "loss": data.loss,
            "error": data.error,
            "near": ["yes" if near else "no" for near in data.near],
        }
    )
    mapper = LinearColorMapper(palette=list(Cividis256), low=0.0, high=1.0, nan_color="#b9bdb9")
    cells = plot.rect(
        "x",
        "y",
        width=0.97,
        height=0.95,
        source=source,
        fill_color={"field": "colour", "transform": mapper},
        line_color=None,
    )
    close = data.near
    outline = plot.rect(
        "x",
        "y",
        width=0.91,
        height=0.83,
        source=ColumnDataSource({"x": data.x[close], "y": data.y[close]}),
        fill_color=None,
        line_width=2,
    )
    outline.glyph.line_color = _BRIGHT_TEXT
    plot.text(
        "x",
        "y",
        text="text",
        source=source,
        text_align="center",
        text_baseline="middle",
        text_font={"value": FONT},  # a bare text would be the name of a column
        text_font_size="12px",
        text_color="ink",
        y_offset=-5,
    )
    stage.tabulate(
        plot,
        source,
        {
            "lam": f"λ of {data.penalty}",
            "dropout": "dropout",
            "loss": f"validation {data.loss_name} ({data.unit})",
            "error": f"standard error ({data.unit})",
            "near": "within one standard error of the least",
        },
    )
    hover(
        plot,
        [cells],
        [
            (f"λ of {data.penalty}", "@lam"),
            ("dropout", "@dropout"),
            ("validation", f"@loss{{0.0000}} ± @error{{0.0000}} {data.unit}"),
            ("within one standard error", "@near"),
        ],
    )


def _ridge(plot: figure, data: InteractionFigure) -> None:
    """Below the numbers: a line through each dropout's best λ, and the best of all."""
    x, y = data.x[data.ridge], data.y[data.ridge] - 0.27
    source = ColumnDataSource({"x": x, "y": y})
    for width, colour in ((4.0, _DARK_TEXT), (2.0, _BRIGHT_TEXT)):
        plot.line("x", "y", source=source, line_width=width, line_color=colour)
    dots = plot.scatter("x", "y", source=source, size=7, line_width=1, line_color=_DARK_TEXT)
    dots.glyph.fill_color = _BRIGHT_TEXT
    plot.scatter(
        [float(data.x[data.best])],
        [float(data.y[data.best]) - 0.27],
        size=15,
        marker="diamond",
        line_width=1.5,
        line_color=_BRIGHT_TEXT,
        fill_color=_BEST,
    )


def _alternative(data: InteractionFigure) -> str:
    least, plain = data.loss[data.best], data.loss[0]
    best = f"λ {data.lam[data.best]}, dropout {data.dropout[data.best]}"
    return (
        f"Mean validation {data.loss_name} for each λ of {data.penalty} and each dropout: "
        f"{plain:.3g} {data.unit} without either, {least:.3g} at the least ({best}); "
        f"{int(data.near.sum())} of {data.loss.size} cells are within one standard error of that."
    )
