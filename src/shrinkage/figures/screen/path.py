"""Draw the λ path: one plot for each penalty, on one scale."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    ColumnDataSource,
    FixedTicker,
    Label,
    Range1d,
    Span,
)
from bokeh.plotting import figure

from shrinkage.figures.path import PathFigure, PathPanel
from shrinkage.figures.screen.stage import FONT, Stage, hover, loss_ticks, power_label

_TINTS = {"overfitting": 0.10, "good": 0.15, "underfitting": 0.10}
_CLEAR = 0.4  # decades to the right of "none" that its label needs
_CLOSE = 0.06  # share of the width that half of a zone's name takes, on a phone
_NAMED = 0.17  # least share of the width on which a zone's name fits, also on a phone


def draw_path(stage: Stage, data: PathFigure) -> tuple[str, ...]:
    """Add one plot for each panel; their names, in the order of the panels."""
    names = []
    for panel in data.panels:
        plot = _panel(stage, data, panel)
        name = f"path-{panel.penalty.name}"
        stage.add(name, plot, _alternative(data, panel))
        names.append(name)
    return tuple(names)


def _panel(stage: Stage, data: PathFigure, panel: PathPanel) -> figure:
    plot = stage.plot(
        f"λ of {panel.penalty.label} (logarithmic)",
        f"{data.loss} ({data.unit}{', log scale' if data.scale == 'log' else ''})",
        height=400,
        x_range=Range1d(*panel.x_range),
        y_range=Range1d(*data.y_range),
        y_axis_type=data.scale,
    )
    _ticks(plot, panel)
    if data.scale == "log":
        loss_ticks(plot, *data.y_range)
    _zones(stage, plot, data, panel)
    # A logarithmic axis has no place for a band's edge at or below 0.
    floor = data.y_range[0] / 10 if data.scale == "log" else -np.inf
    source = ColumnDataSource(
        {
            "x": panel.x,
            "lam": np.where(panel.x == panel.edge, 0.0, 10.0**panel.x),
            "label": list(panel.labels),
            "train": panel.train,
            "train_low": np.maximum(panel.train - panel.train_error, floor),
            "train_high": np.maximum(panel.train + panel.train_error, floor),
            "train_error": panel.train_error,
            "validation": panel.validation,
            "low": np.maximum(panel.validation - panel.validation_error, floor),
            "high": panel.validation + panel.validation_error,
            "error": panel.validation_error,
            "zeros": panel.zeros,
            "folds": panel.folds,
        }
    )
    if data.null is not None:
        constant = Span(location=data.null, dimension="width", line_dash=[2, 4], line_width=1.2)
        stage.paint(constant, line_color="muted")
        plot.add_layout(constant)
    for low, high, role, alpha in (
        ("train_low", "train_high", "train", 0.22),
        ("low", "high", "validation", 0.14),
    ):
        band = plot.varea("x", low, high, source=source, fill_alpha=alpha)
        stage.paint(band.glyph, fill_color=role)
    train = plot.line("x", "train", source=source, line_width=2, line_dash=[6, 3])
    line = plot.line("x", "validation", source=source, line_width=2.4)
    stage.paint(train.glyph, line_color="train")
    stage.paint(line.glyph, line_color="validation")
    for column, role in (("train", "train"), ("validation", "validation")):
        dots = plot.scatter("x", column, source=source, size=5, line_color=None)
        stage.paint(dots.glyph, fill_color=role)
    _marks(stage, plot, panel)
    per_unit = f" ({data.unit})"
    stage.tabulate(
        plot,
        source,
        {
            "label": "point",
            "lam": "λ",
            "validation": f"validation {data.loss}{per_unit}",
            "error": f"standard error of validation{per_unit}",
            "train": f"training {data.loss}{per_unit}",
            "train_error": f"standard error of training{per_unit}",
            "zeros": "share of weights exactly zero",
            "folds": "fits",
        },
    )
    hover(
        plot,
        [line],
        [
            ("", "@label"),
            ("validation", f"@validation{{0.0000}} ± @error{{0.0000}} {data.unit}"),
            ("training", f"@train{{0.0000}} ± @train_error{{0.0000}} {data.unit}"),
            ("exact zeros", "@zeros{0.0%}"),
            ("fits", "@folds"),
        ],
        "vline",
    )
    return plot


def _ticks(plot: figure, panel: PathPanel) -> None:
    first = panel.x_range[0] if panel.edge is None else panel.edge + _CLEAR
    exponents = list(range(ceil(first), floor(panel.x_range[1]) + 1))
    labels: dict[float | str, str] = {float(e): power_label(e) for e in exponents}
    places: list[float] = [float(e) for e in exponents]
    if panel.edge is not None:
        places.insert(0, panel.edge)
        labels[panel.edge] = "none"
    plot.xaxis.ticker = FixedTicker(ticks=places)
    plot.xaxis.major_label_overrides = labels


def _zones(stage: Stage, plot: figure, data: PathFigure, panel: PathPanel) -> None:
    width = panel.x_range[1] - panel.x_range[0]
    for zone in panel.zones:
        # The outer zones reach the end of the plot, so that no stripe is left without a name.
        start = panel.x_range[0] if zone.start == panel.x[0] else zone.start
        stop = panel.x_range[1] if zone.stop == panel.x[-1] else zone.stop
        box = BoxAnnotation(
            left=start,
            right=stop,
            fill_alpha=_TINTS[zone.name],
            line_color=None,
            level="underlay",
        )
        stage.paint(box, fill_color=zone.name)
        plot.add_layout(box)
        if (stop - start) / width < _NAMED:
            continue
        x, align, offset = _beside(panel, (start + stop) / 2, _CLOSE * width)
        label = Label(
            x=x,
            y=data.y_range[1],
            text=zone.name,
            text_align=align,
            text_baseline="top",
            x_offset=offset,
            y_offset=-6,
            text_font=FONT,
            text_font_size="12px",
        )
        stage.paint(label, text_color="muted")
        plot.add_layout(label)


def _beside(panel: PathPanel, middle: float, close: float) -> tuple[float, str, float]:
    """Where the middle's name goes: x, alignment and pixels; beside a line that is in the way."""
    for mark in panel.marks:
        if mark.selected and abs(mark.x - middle) < close:
            return (mark.x, "right", -7.0) if mark.x > middle else (mark.x, "left", 7.0)
    return middle, "center", 0.0


def _marks(stage: Stage, plot: figure, panel: PathPanel) -> None:
    if panel.edge is not None:
        first = plot.scatter([panel.edge], [panel.validation[0]], size=11, line_width=2)
        stage.paint(first.glyph, fill_color="none", line_color="paper")
    for mark in panel.marks:
        if mark.selected:
            span = Span(location=mark.x, dimension="height", line_width=1.5)
            stage.paint(span, line_color="penalized")
            plot.add_layout(span)
    # The least is drawn inside the ring of the other where they coincide.
    for mark in reversed(panel.marks):
        ring = mark.rule == "one_standard_error"
        dot = plot.scatter(
            [mark.x],
            [mark.validation],
            marker="circle" if ring else "diamond",
            size=18 if ring else 15,
            line_width=2.5 if ring else 1.5,
            fill_alpha=0.0 if ring else 1.0,
        )
        stage.paint(dot.glyph, fill_color="penalized", line_color="penalized" if ring else "paper")


def _alternative(data: PathFigure, panel: PathPanel) -> str:
    least = panel.marks[0]
    begin = f"without a penalty {panel.validation[0]:.3g}, " if panel.edge is not None else ""
    return (
        f"{panel.penalty.label}: mean validation {data.loss} against λ; {begin}"
        f"{least.validation:.3g} at its least ({least.label}), "
        f"{panel.validation[-1]:.3g} at the largest λ."
    )
