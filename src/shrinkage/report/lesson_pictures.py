"""The lesson's pictures as groups of drawings, each with its legend and its caption."""

from __future__ import annotations

from shrinkage.figures.colours import class_colour
from shrinkage.figures.interaction import interaction_figure
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.interaction import draw_interaction
from shrinkage.figures.screen.lesson import (
    DASHES,
    dashes_of,
    draw_chart,
    draw_matrix,
    renamed,
)
from shrinkage.figures.screen.surface import draw_stills
from shrinkage.figures.screen.weights import draw_boxes, draw_densities
from shrinkage.figures.surface import surfaces_of
from shrinkage.figures.weights import weights_of
from shrinkage.lesson.pictures import Boundaries, Chart, Heat, Matrices, Picture, Weights
from shrinkage.report import groups
from shrinkage.report.groups import Group
from shrinkage.report.wording import number, percent

_SHAPES = dict(zip(DASHES, ("line", "dash", "dots"), strict=True))


def group_of(picture: Picture, stage: Stage, name: str) -> Group:
    """Draw a picture on the stage, its drawings named after `name`."""
    match picture:
        case Chart():
            return _chart(picture, stage, name)
        case Boundaries():
            return _boundaries(picture, stage, name)
        case Weights():
            return _weights(picture, stage, name)
        case Matrices():
            return _matrices(picture, stage, name)
        case Heat():
            return _heat(picture, stage, name)


def _chart(picture: Chart, stage: Stage, name: str) -> Group:
    shapes = [_SHAPES[DASHES[place]] for place in dashes_of(picture.lines)]
    keys = [
        (line.role, line.label, shape) for line, shape in zip(picture.lines, shapes, strict=True)
    ]
    return Group(
        title=picture.title,
        pictures=(groups.Picture(draw_chart(stage, picture, name)),),
        layout="pair single",
        legend=tuple(keys) if len(keys) > 1 or picture.lines[0].label else (),
        caption=picture.caption,
    )


def _boundaries(picture: Boundaries, stage: Stage, name: str) -> Group:
    drawn = []
    two = len(picture.panels) == 2
    for place, (label, boundary) in enumerate(picture.panels):
        figure = surfaces_of(boundary, "class")
        (own, *_) = draw_stills(stage, figure, f"{name}-{place}", height=320 if two else 230)
        drawn.append(groups.Picture(own, label))
    classes = picture.panels[0][1].classes
    plane = picture.panels[0][1].plane
    axes = f"To the right {plane.x_label}, upwards {plane.y_label}; dots are training points."
    axes = "Dots are training points." if two else axes
    return Group(
        title=picture.title,
        pictures=tuple(drawn),
        layout="pair" if two else "multiples",
        swatches=tuple((one, class_colour(index)) for index, one in enumerate(classes)),
        caption=f"{picture.caption} {axes}",
    )


def _weights(picture: Weights, stage: Stage, name: str) -> Group:
    figure = weights_of(picture.comparisons)
    boxes = renamed(stage, draw_boxes(stage, figure), f"{name}-boxes")
    densities = [
        groups.Picture(renamed(stage, old, f"{name}-{old}"), f"Density, {comparison.name}")
        for old, comparison in zip(draw_densities(stage, figure), figure.comparisons, strict=True)
    ]
    return Group(
        title=picture.title,
        pictures=(groups.Picture(boxes, "Boxes"), *densities),
        layout="grid",
        legend=(("none", figure.before, "line"), ("penalized", figure.after, "line")),
        caption=picture.caption,
    )


def _matrices(picture: Matrices, stage: Stage, name: str) -> Group:
    drawn = []
    for place, (label, kernel) in enumerate(picture.panels):
        zeros = percent(float((kernel == 0).mean()))
        own = draw_matrix(stage, label, kernel, f"{name}-{place}")
        drawn.append(groups.Picture(own, f"{label}: {zeros} zero"))
    return Group(
        title=picture.title,
        pictures=tuple(drawn),
        layout="multiples",
        caption=picture.caption,
    )


def _heat(picture: Heat, stage: Stage, name: str) -> Group:
    figure = interaction_figure(picture.record)
    low, high = (number(value, *figure.scale) for value in figure.scale)
    more = " or more" if figure.clipped else ""
    return Group(
        title=picture.title,
        pictures=(groups.Picture(renamed(stage, draw_interaction(stage, figure), name)),),
        layout="pair single",
        legend=(
            ("", f"{low} {figure.unit} (dark) to {high}{more} (bright)", "ramp"),
            ("", "within one standard error of the least", "frame"),
            ("validation", "best λ for each dropout", "line"),
            ("best", "least of all", "diamond"),
        ),
        caption=picture.caption,
    )
