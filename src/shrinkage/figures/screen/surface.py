"""Draw the surfaces: without a penalty, and at the λ of the slider, with the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, Range1d
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from shrinkage.figures.colours import (
    class_colour,
    class_colours,
    class_marker,
    probability_colours,
)
from shrinkage.figures.screen.stage import Grid, Stage, compact_ticks, hover
from shrinkage.figures.surface import SurfaceFigure

_ALTERNATIVE = {
    "binary": "probability of {0} over the plane, with the training rows",
    "multiclass": "most probable class over the plane, with the training rows",
    "regression": "predicted {0} over the plane, with the training rows",
}

_SMALL = 300
"""Pixels below which a picture gets smaller points."""


def draw_surfaces(stage: Stage, data: SurfaceFigure) -> tuple[str, ...]:
    """Add the still surface (the first) and the one that the slider moves; their names."""
    _palettes(stage, data)
    points = _points(data)
    one_input = data.plane.kind == "one input"
    # Every λ's surface, for the slider to take from; drawn by nothing.
    store = ColumnDataSource(
        {
            "codes": [frame.codes for frame in data.frames],
            "contour_x": [frame.contour_x for frame in data.frames],
            "contour_y": [frame.contour_y for frame in data.frames],
            **({"line": [frame.line for frame in data.frames]} if one_input else {}),
        },
        name="all-surfaces",
    )
    names = []
    for name, index in (("surface-none", 0), ("surface-moving", data.selected)):
        draw = _line_plot if one_input else _map_plot
        plot = draw(stage, data, index, points, moving=name == "surface-moving")
        plot.tags = [store]
        what = _ALTERNATIVE[data.task].format(
            data.classes[1] if data.task == "binary" else data.target
        )
        stage.add(name, plot, f"{data.frames[index].label}: {what}.")
        names.append(name)
    return tuple(names)


def draw_stills(stage: Stage, data: SurfaceFigure, name: str, height: int) -> tuple[str, ...]:
    """Add every surface as a small picture that only shows; their names, `name` and a number."""
    _palettes(stage, data)
    points = _points(data)
    draw = _line_plot if data.plane.kind == "one input" else _map_plot
    names = []
    for index, frame in enumerate(data.frames):
        plot = draw(stage, data, index, points, moving=False, height=height)
        plot.axis.visible = False  # their words and ends are in the caption, once for all
        plot.min_border = plot.min_border_right = 0
        names.append(f"{name}-{index}")
        what = _ALTERNATIVE[data.task].format(
            data.classes[1] if data.task == "binary" else data.target
        )
        stage.add(names[-1], plot, f"{frame.label}: {what}.")
    return tuple(names)


def _palettes(stage: Stage, data: SurfaceFigure) -> None:
    if data.task == "regression":
        stage.add_palette("surface", list(Cividis256), list(Cividis256))
        return
    if data.task == "binary":
        stage.add_palette("surface", probability_colours("light"), probability_colours("dark"))
    else:
        count = len(data.classes)
        stage.add_palette(
            "surface",
            class_colours("light", count, data.levels),
            class_colours("dark", count, data.levels),
        )
    rows = [class_colour(index) for index in range(len(data.classes))]
    stage.add_palette("rows", rows, rows)


def _points(data: SurfaceFigure) -> ColumnDataSource:
    plane = data.plane
    columns: dict[str, Any] = {
        "x": plane.points[:, 0],
        "y": plane.points[:, 1],
        "target": plane.point_targets,
    }
    if data.classes:
        indices = plane.point_targets.astype(np.int64)
        columns["marker"] = [class_marker(int(index)) for index in indices]
        if plane.kind == "one input":
            columns["y"] = -0.09 - 0.05 * indices
    return ColumnDataSource(columns)


def _map_plot(
    stage: Stage,
    data: SurfaceFigure,
    index: int,
    points: ColumnDataSource,
    *,
    moving: bool,
    height: int = 340,
) -> figure:
    plane, shown = data.plane, data.frames[index]
    half_y = 0.5 * (plane.y[1] - plane.y[0])
    plot = stage.plot(
        plane.x_label,
        plane.y_label,
        height=height,
        x_range=Range1d(float(plane.x[0]), float(plane.x[-1])),
        y_range=Range1d(float(plane.y[0]), float(plane.y[-1])),
    )
    plot.ygrid.visible = False
    compact_ticks(plot.xaxis, plot.x_range)
    compact_ticks(plot.yaxis, plot.y_range)
    y_ends = (float(plane.y[0] - half_y), float(plane.y[-1] + half_y))
    image = _image(stage, plot, data, index, y_ends, moving=moving)
    contour = plot.line(
        "x",
        "y",
        source=ColumnDataSource(
            {"x": shown.contour_x, "y": shown.contour_y},
            name="moved-contour" if moving else "still-contour",
        ),
        line_width=1.8 if data.task == "binary" else 0.8,
        line_alpha=0.9 if data.task == "binary" else 0.6,
    )
    stage.paint(contour.glyph, line_color="ink" if data.task == "binary" else "paper")
    _draw_points(stage, plot, data, points, small=height < _SMALL)
    _tabulate_points(stage, plot, data, points)
    stage.tabulate_grid(
        plot,
        Grid(
            image.data_source.id,
            (float(plane.x[0]), float(plane.x[-1]), plane.x.size),
            (float(plane.y[0]), float(plane.y[-1]), plane.y.size),
            data.task,
            data.classes,
            data.levels,
            data.values,
            data.target,
        ),
    )
    tool = hover(plot, [image], [("", "@codes")])
    tool.name = "surface-hover"
    return plot


def _tabulate_points(
    stage: Stage, plot: figure, data: SurfaceFigure, points: ColumnDataSource
) -> None:
    columns = {"x": data.plane.x_label}
    if data.plane.kind != "one input":
        columns["y"] = data.plane.y_label
    columns["target"] = data.target
    stage.tabulate(plot, points, columns, "training row", data.classes)


def _image(
    stage: Stage,
    plot: figure,
    data: SurfaceFigure,
    index: int,
    y_ends: tuple[float, float],
    *,
    moving: bool,
) -> Any:
    """The surface's codes as colours, one pixel around each point of the grid."""
    x, (low, high) = data.plane.x, y_ends
    half = 0.5 * (x[1] - x[0])
    top = len(data.classes) * data.levels - 1 if data.task == "multiclass" else 255
    mapper = LinearColorMapper(palette=["#000000"], low=0, high=top)
    stage.paint(mapper, palette="surface")
    return plot.image(
        "codes",
        x=float(x[0] - half),
        y=low,
        dw=float(x[-1] - x[0] + 2 * half),
        dh=high - low,
        color_mapper=mapper,
        source=ColumnDataSource(
            {"codes": [data.frames[index].codes]},
            name="moved-surface" if moving else "still-surface",
        ),
    )


def _draw_points(
    stage: Stage, plot: figure, data: SurfaceFigure, points: ColumnDataSource, *, small: bool
) -> None:
    many = len(data.plane.points) > 600
    size = (3 if many else 4) if small else (5 if many else 7)
    edge = 0.3 if small else (0.5 if many else 0.8)
    look = {"size": size, "line_width": edge, "line_alpha": 0.9}
    if data.plane.kind == "one input" and data.task == "regression":
        dots = plot.scatter("x", "y", source=points, **look)
        stage.paint(dots.glyph, fill_color="train")
    elif data.task == "regression":
        mapper = LinearColorMapper(palette=["#000000"], low=data.values[0], high=data.values[1])
        stage.paint(mapper, palette="surface")
        dots = plot.scatter(
            "x", "y", source=points, fill_color={"field": "target", "transform": mapper}, **look
        )
    else:
        mapper = LinearColorMapper(palette=["#000000"], low=-0.5, high=len(data.classes) - 0.5)
        stage.paint(mapper, palette="rows")
        colour = {"field": "target", "transform": mapper}
        dots = plot.scatter("x", "y", source=points, marker="marker", fill_color=colour, **look)
    stage.paint(dots.glyph, line_color="paper")


def _line_plot(
    stage: Stage,
    data: SurfaceFigure,
    index: int,
    points: ColumnDataSource,
    *,
    moving: bool,
    height: int = 340,
) -> figure:
    plane, line_values = data.plane, data.frames[index].line
    if data.task == "regression":
        margin = 0.05 * (data.values[1] - data.values[0])
        y_range, label = (data.values[0] - margin, data.values[1] + margin), data.target
    else:
        y_range = (-0.09 - 0.05 * len(data.classes), 1.05)
        label = (
            f"probability of {data.classes[1]}"
            if data.task == "binary"
            else "probability of the likeliest class"
        )
    plot = stage.plot(
        plane.x_label,
        label,
        height=height,
        x_range=Range1d(float(plane.x[0]), float(plane.x[-1])),
        y_range=Range1d(*y_range),
    )
    compact_ticks(plot.xaxis, plot.x_range)
    if data.task == "regression":
        compact_ticks(plot.yaxis, plot.y_range)
    else:
        plot.yaxis.ticker = FixedTicker(ticks=[0, 0.25, 0.5, 0.75, 1])
    if data.task == "multiclass":
        _image(stage, plot, data, index, (-0.055, -0.025), moving=moving)
    _draw_points(stage, plot, data, points, small=height < _SMALL)
    source = ColumnDataSource(
        {"x": plane.x, "y": line_values}, name="moved-line" if moving else "still-line"
    )
    line = plot.line("x", "y", source=source, line_width=2.6)
    stage.paint(line.glyph, line_color="penalized" if moving else "none")
    shown = "at the λ of the slider" if moving else data.frames[index].label
    stage.tabulate(plot, source, {"x": plane.x_label, "y": label}, shown)
    if data.task == "regression":
        _tabulate_points(stage, plot, data, points)
    hover(plot, [line], [("value", "@y{0.000}")], "vline")
    return plot
