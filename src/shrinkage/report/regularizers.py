"""The interaction map and the learning curve as parts of a page."""

from __future__ import annotations

from shrinkage.data import Data
from shrinkage.exhibits.interaction_record import Interaction
from shrinkage.exhibits.learning_curve_record import LearningCurve
from shrinkage.figures.growth import growth_figure
from shrinkage.figures.interaction import interaction_figure
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.growth import draw_growth
from shrinkage.figures.screen.interaction import draw_interaction
from shrinkage.report.groups import Group, Picture
from shrinkage.report.wording import number


def interaction_groups(record: Interaction, _data: Data, stage: Stage) -> list[Group]:
    """The map."""
    figure = interaction_figure(record)
    low, high = (number(value, *figure.scale) for value in figure.scale)
    more = " or more" if figure.clipped else ""
    map_ = Group(
        title=f"Validation {figure.loss_name} for every λ and dropout",
        pictures=(Picture(draw_interaction(stage, figure)),),
        layout="pair single",
        legend=(
            ("", f"{low} {figure.unit} (dark) to {high}{more} (bright)", "ramp"),
            ("", "within one standard error of the least", "frame"),
            ("validation", "best λ for each dropout", "line"),
            ("best", "least of all", "diamond"),
        ),
        caption="A ridge that leans to smaller λ where dropout is larger says that one replaces "
        "the other; a straight one says that each does its own. Numbers are means over the folds, "
        "free of the penalty and measured without dropout. The least of many means flatters "
        "itself; the gains above are measured on folds that had no part in choosing.",
    )
    return [map_]


def learning_curve_groups(record: LearningCurve, _data: Data, stage: Stage) -> list[Group]:
    """Losses against rows."""
    figure = growth_figure(record)
    legend = [
        ("none", "validation without a penalty", "dot"),
        ("penalized", f"validation {record.penalized.label}", "diamond"),
        ("muted", "training, in the same colours", "dots"),
    ]
    caption = "Marks are means over the folds with 95% intervals"
    if any(line.followed for line in figure.lines):
        legend.append(("validation", "beyond the rows there are", "dash"))
        caption += (
            ", smooth lines the fitted a + b·n^(−c) where the losses follow it, with one floor a "
            "for both, and bands what it might as well be (95%)"
        )
    if figure.reached is not None:
        legend.append(("none", "as good without a penalty", "ring"))
    curves = Group(
        title=f"{figure.loss.capitalize()} against the number of training rows",
        pictures=(Picture(draw_growth(stage, figure)),),
        layout="pair single",
        legend=tuple(legend),
        caption="A line that still falls at its right end asks for more rows; the distance between "
        f"the two is what the penalty is worth. {caption}. Every size takes about as many steps as "
        "all rows do, and chooses its λ on the other folds.",
    )
    return [curves]
