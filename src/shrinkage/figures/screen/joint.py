"""Draw a joint search: recipes in the order of trying, and the ablation of the best one."""

from __future__ import annotations

import numpy as np
from bokeh.models import BasicTicker, ColumnDataSource, FixedTicker, Range1d, Span
from bokeh.plotting import figure

from shrinkage.figures.joint import AblationFigure, HistoryFigure
from shrinkage.figures.screen.stage import Stage, hover, loss_ticks


def draw_history(stage: Stage, data: HistoryFigure) -> str:
    """Add the history; its name."""
    low, high = data.range
    plot = stage.plot(
        "recipe, in the order of trying",
        f"validation {data.metric}"
        + (
            f" ({data.unit}" + (", log scale)" if data.scale == "log" else ")") if data.unit else ""
        ),
        height=320,
        x_range=Range1d(0.5, int(data.number[-1]) + 0.5),
        y_range=Range1d(low, high),
        y_axis_type=data.scale,
    )
    if data.scale == "log":
        loss_ticks(plot, low, high)
    plot.xaxis.ticker = BasicTicker(min_interval=1)
    base = Span(location=data.base, dimension="width", line_width=2, line_dash=[2, 4])
    plot.add_layout(base)
    stage.paint(base, line_color="none")
    shown = np.clip(data.score, low * 1.01, high / 1.01)
    if data.scale == "linear":
        shown = np.clip(data.score, low + 0.01 * (high - low), high - 0.01 * (high - low))
    renderers = []
    for finished in (False, True):
        rows = np.flatnonzero(data.complete == finished)
        source = ColumnDataSource(
            {
                "number": data.number[rows],
                "shown": shown[rows],
                "score": data.score[rows],
                "folds": data.folds[rows],
                "label": [data.label[row] for row in rows],
            }
        )
        dots = plot.scatter(
            *("number", "shown"),
            source=source,
            size=8 if finished else 5,
            fill_alpha=0.9,
        )
        stage.tabulate(
            plot,
            source,
            {
                "number": "recipe",
                "score": f"validation {data.metric}" + (f" ({data.unit})" if data.unit else ""),
                "folds": "folds",
                "label": "what it is",
            },
            "seen on every fold" if finished else "given up after a few folds",
        )
        role = "penalized" if finished else "train"
        stage.paint(dots.glyph, fill_color=role, line_color=role)
        renderers.append(dots)
    known = np.isfinite(data.leader)
    line = plot.step(data.number[known], data.leader[known], mode="after", line_width=2)
    stage.paint(line.glyph, line_color="validation")
    if data.best is not None:
        ring = plot.scatter(
            [data.number[data.best]], [shown[data.best]], size=15, fill_color=None, line_width=2
        )
        stage.paint(ring.glyph, line_color="penalized")
    hover(
        plot,
        renderers,
        [
            ("", "recipe @number"),
            (data.metric, f"@score{{0.0000}} {data.unit}"),
            ("folds", "@folds"),
            ("", "<div style='max-width:260px;font-weight:400'>@label</div>"),
        ],
    )
    name = "joint-history"
    everywhere = int(data.complete.sum())
    stage.add(
        name,
        plot,
        f"{data.number.size} recipes, of which {everywhere} were trained on every fold. Without "
        f"regularization the validation {data.metric} is {data.base:.3g}"
        + (
            "."
            if data.best is None
            else f"; the best recipe, number {data.number[data.best]}, has "
            f"{data.score[data.best]:.3g}."
        ),
    )
    return name


def draw_ablation(stage: Stage, data: AblationFigure) -> str:
    """Add the ablation; its name."""
    reach = 1.08 * data.reach
    places = list(range(len(data.bars)))
    plot = stage.plot(
        f"what it adds to the {data.metric}"
        + (f" ({data.unit})" if data.unit else "")
        + ": right of 0 it helps",
        "",
        height=60 + 38 * len(places),
        x_range=Range1d(-reach, reach),
        y_range=Range1d(-0.6, len(places) - 0.4),
    )
    _axis(plot, {place: bar.value for place, bar in zip(places, data.bars)})
    zero = Span(location=0, dimension="height", line_width=1)
    plot.add_layout(zero)
    stage.paint(zero, line_color="axis")
    source = ColumnDataSource(
        {
            "place": places,
            "low": [max(bar.help.low, -2 * reach) for bar in data.bars],
            "high": [min(bar.help.high, 2 * reach) for bar in data.bars],
            "help": [bar.help.estimate for bar in data.bars],
            "text": [str(bar.help) for bar in data.bars],
            "value": [bar.value for bar in data.bars],
            "verdict": [bar.verdict for bar in data.bars],
        }
    )
    bars = plot.segment("low", "place", "high", "place", source=source, line_width=3)
    dots = plot.scatter("help", "place", source=source, size=9)
    stage.paint(bars.glyph, line_color="penalized")
    stage.paint(dots.glyph, fill_color="penalized", line_color="penalized")
    per_unit = f" ({data.unit})" if data.unit else ""
    stage.tabulate(
        plot,
        source,
        {
            "value": "ingredient",
            "help": f"what it adds to the {data.metric}{per_unit}",
            "low": "low",
            "high": "high",
            "verdict": "verdict",
        },
    )
    hover(
        plot,
        [dots, bars],
        [("", "@value"), ("adds", f"@text {data.unit}"), ("verdict", "@verdict")],
    )
    told = "; ".join(f"{bar.value} {bar.verdict} ({bar.help})" for bar in reversed(data.bars))
    name = "joint-ablation"
    stage.add(name, plot, f"By how much the {data.metric} is better with an ingredient: {told}.")
    return name


def _axis(plot: figure, labels: dict[int, str]) -> None:
    plot.yaxis.ticker = FixedTicker(ticks=list(labels))
    plot.yaxis.major_label_overrides = labels
    plot.yaxis.major_tick_line_color = None
    plot.ygrid.grid_line_color = None
