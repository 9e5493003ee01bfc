"""Exhibits as parts of a page: which figures each has, and what stands around them.

A new exhibit adds one function to :data:`_FIGURES`; templates and tables serve all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shrinkage.data import Data
from shrinkage.exhibits import Record
from shrinkage.exhibits.capacity_record import Capacity, width_label
from shrinkage.exhibits.joint import JointRecord
from shrinkage.figures.capacity import capacity_figure
from shrinkage.figures.colours import class_colour
from shrinkage.figures.joint import ablation_figure, history_figure
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.capacity import draw_boundaries, draw_panels
from shrinkage.figures.screen.joint import draw_ablation, draw_history
from shrinkage.figures.surface import SurfaceFigure
from shrinkage.report.groups import Group, Picture
from shrinkage.report.regularizers import interaction_groups, learning_curve_groups
from shrinkage.report.wording import number
from shrinkage.verify.boundary import Floats
from shrinkage.verify.complexity import ISLAND_ROWS

_SWATCHES = 20
"""Classes named in a legend; of more, the number is told."""


def exhibit_part(record: Record, data: Data, stage: Stage) -> dict[str, Any]:
    """What the template shows of a record; its figures are added to the stage."""
    return {
        "name": record.name,
        "about": record.name.replace("-", " ").capitalize(),
        "headline": record.headline,
        "sentences": record.sentences,
        "notes": record.notes,
        "table": record.table,
        "groups": _FIGURES[record.name](record, data, stage),
    }


def _capacity(record: Capacity, data: Data, stage: Stage) -> list[Group]:
    figure = capacity_figure(record, data.target_names[0])
    groups = []
    names = draw_boundaries(stage, figure)
    if names and figure.surfaces is not None:
        groups.append(_side_by_side(record, names, figure.surfaces))
    errors = draw_panels(stage, figure, figure.errors)
    groups.append(
        Group(
            title="Errors against the width",
            pictures=tuple(map(Picture, errors)),
            layout="pair" if len(errors) > 1 else "pair single",
            legend=(
                ("train", "training rows", "dash"),
                ("validation", "validation rows", "line"),
                ("test", "untouched test rows", "dots"),
                ("penalized", "least validation loss", "bar"),
            ),
            caption="Where the training line goes on falling and the others rise, width serves to "
            "memorize rows. Bands are 95% intervals: over the folds for validation, over resampled "
            "rows for the test.",
        )
    )
    shapes = draw_panels(stage, figure, figure.complexity)
    if shapes:
        groups.append(
            Group(
                title="Boundary length and islands against the width",
                pictures=tuple(map(Picture, shapes)),
                layout="pair" if len(shapes) > 1 else "pair single",
                caption="Rising lines are boundaries that wind around single rows. Length for each "
                "unit of the plane's area, measured in standard deviations of the inputs. An "
                "island is a region of one predicted class that does not reach the edge, "
                f"holds at most {ISLAND_ROWS} training rows, and is not the largest of "
                f"its class. Means over {record.points[0].networks} networks of each width, with "
                "95% intervals.",
            )
        )
    return groups


def _side_by_side(record: Capacity, names: tuple[str, ...], surfaces: SurfaceFigure) -> Group:
    """A picture of every width, over the same plane or line."""
    plane, values = surfaces.plane, surfaces.values
    numbers = surfaces.task == "regression"
    across = f"To the right {_axis(plane.x_label, plane.x)}"
    if plane.kind == "one input":
        what = surfaces.target if numbers else "the probability"
        read = f"{across}, upwards {what}. Dots are training rows."
    else:
        shown = f"predicted {surfaces.target}" if numbers else "most probable class"
        certain = "" if numbers else ", deeper where it is more certain"
        read = (
            f"{across}, upwards {_axis(plane.y_label, plane.y)}. Colour is the {shown}{certain}; "
            "dots are training rows."
        )
    legend: tuple[tuple[str, str, str], ...] = ()
    if numbers and plane.kind != "one input":
        low, high = (number(value, *values) for value in values)
        legend = (("", f"{surfaces.target} from {low} (dark) to {high} (bright)", "ramp"),)
    what = "prediction" if numbers else "boundary"
    return Group(
        title=f"The {what}, from {record.points[0].label} to {record.points[-1].label}",
        pictures=tuple(
            Picture(name, width_label(point.hidden[:1]), place == record.best)
            for place, (name, point) in enumerate(zip(names, record.points, strict=True))
        ),
        layout="multiples",
        legend=legend,
        swatches=_swatches(surfaces.classes),
        caption=f"One network of each width. {plane.sentence} {read}",
    )


def _axis(label: str, grid: Floats) -> str:
    ends = (float(grid[0]), float(grid[-1]))
    return f"{label} from {number(ends[0], *ends)} to {number(ends[1], *ends)}"


def _swatches(classes: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, class_colour(index)) for index, name in enumerate(classes[:_SWATCHES]))


def _joint(record: JointRecord, _data: Data, stage: Stage) -> list[Group]:
    groups = []
    history, ablation = history_figure(record.joint), ablation_figure(record.joint)
    if history is not None:
        groups.append(
            Group(
                title="Recipes in the order of trying",
                pictures=(Picture(draw_history(stage, history)),),
                layout="pair single",
                legend=(
                    ("penalized", "seen on every fold", "dot"),
                    ("train", "given up after a few folds", "dot"),
                    ("penalized", "the best", "ring"),
                    ("validation", "the best so far", "line"),
                    ("none", "without regularization", "dots"),
                ),
                caption="Each recipe is first trained on one fold or a few; those among the best "
                "third so far go on to more. A recipe that saw few folds may look better there "
                "than it is, and one far worse than the others is drawn at the edge.",
            )
        )
    if ablation is not None:
        groups.append(
            Group(
                title="What each ingredient of the best recipe adds",
                pictures=(Picture(draw_ablation(stage, ablation)),),
                layout="pair single",
                caption="The best recipe against itself without one ingredient, trained again with "
                "the same fresh seeds; the dot is the mean difference over the folds, the bar its "
                "95% interval.",
            )
        )
    return groups


_FIGURES: dict[str, Callable[[Any, Data, Stage], list[Group]]] = {
    "capacity": _capacity,
    "interaction": interaction_groups,
    "learning-curve": learning_curve_groups,
    JointRecord.name: _joint,
}
"""By the name of the record."""
