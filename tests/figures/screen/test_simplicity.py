from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bokeh.models import GlyphRenderer

from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.simplicity import draw_margins, draw_reliability, draw_slopes
from shrinkage.figures.simplicity import Cumulated, SimplicityFigure
from shrinkage.verify.calibration import Bin
from shrinkage.verify.measures import Sides

SHARES = np.linspace(0, 1, 201)
CURVE = Cumulated(
    Sides(np.linspace(1, 3, 201), np.linspace(0.5, 1.5, 201)), SHARES, (0.4, 4.0), "units"
)
BINS = Sides((Bin(0.9, 0.6, 1.0, 50),), (Bin(0.6, 0.55, 0.5, 25), Bin(0.8, 0.85, 0.5, 25)))
BOTH = SimplicityFigure("no penalty", "L2, λ = 1", True, CURVE, CURVE, BINS, 0.5)
NUMBER = replace(BOTH, margins=None, reliability=None)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def sources(stage: Stage, name: str) -> list[dict[str, list[float]]]:
    renderers = stage.drawings[name].plot.renderers
    return [one.data_source.data for one in renderers if isinstance(one, GlyphRenderer)]


def test_both_sides_are_drawn_and_can_be_taken_along(stage: Stage) -> None:
    for draw in (draw_slopes, draw_margins, draw_reliability):
        name = draw(stage, BOTH)
        assert name is not None
        drawing = stage.drawings[name]
        assert [series.label for series in drawing.series] == ["no penalty", "L2, λ = 1"]
        assert "no penalty" in drawing.alternative
        assert "L2, λ = 1" in drawing.alternative
    assert "no penalty 2" in stage.drawings["slopes"].alternative
    assert "85% right where 80% sure" in stage.drawings["reliability"].alternative


def test_one_side_is_drawn_without_a_penalty(stage: Stage) -> None:
    one = replace(CURVE, values=Sides(CURVE.values.before, np.empty(0)))
    alone = replace(BOTH, penalized=False, slopes=one, margins=one)
    for draw in (draw_slopes, draw_margins, draw_reliability):
        name = draw(stage, alone)
        assert name is not None
        assert [series.label for series in stage.drawings[name].series] == ["no penalty"]


def test_a_regression_has_slopes_alone(stage: Stage) -> None:
    assert draw_slopes(stage, NUMBER) == "slopes"
    assert draw_margins(stage, NUMBER) is None
    assert draw_reliability(stage, NUMBER) is None
    assert list(stage.drawings) == ["slopes"]


def test_points_of_reliability_lie_within_the_axes_and_show_how_many_rows(stage: Stage) -> None:
    name = draw_reliability(stage, replace(BOTH, least_confidence=0.25))
    assert name is not None
    plot = stage.drawings[name].plot
    assert plot.x_range.start < 0.25
    assert plot.y_range.start < 0.25
    drawn = [data for data in sources(stage, name) if "size" in data]
    assert {size for data in drawn for size in data["size"]} == {28, 6 + 22 * 0.5**0.5}
    low = replace(BOTH, reliability=Sides((Bin(0.9, 0.0, 1.0, 3),), BINS.after))
    draw_reliability(other := Stage(), low)
    assert other.drawings["reliability"].plot.y_range.start < 0


@pytest.mark.parametrize(
    ("ends", "ticks"), [((0.4, 4.0), [0.5, 1.0, 2.0]), ((0.002, 3.0), [0.01, 0.1, 1.0])]
)
def test_ticks_of_a_logarithmic_axis(
    stage: Stage, ends: tuple[float, float], ticks: list[float]
) -> None:
    draw_slopes(stage, replace(BOTH, slopes=replace(CURVE, x_range=ends)))
    axis = stage.drawings["slopes"].plot.xaxis[0]
    assert axis.ticker.ticks == pytest.approx(ticks)
    assert axis.major_label_overrides == {place: f"{place:g}" for place in axis.ticker.ticks}
