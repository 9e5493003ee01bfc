from __future__ import annotations

import pytest
from bokeh.core.property.vectorization import Field
from bokeh.models import LinearColorMapper, Range1d

from shrinkage.figures.colours import ROLES
from shrinkage.figures.learning import learning_figure
from shrinkage.figures.path import path_figure
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.learning import draw_learning
from shrinkage.figures.screen.path import draw_path
from shrinkage.figures.screen.stage import compact_ticks, loss_ticks
from shrinkage.figures.screen.surface import draw_surfaces
from shrinkage.figures.screen.weights import draw_boxes, draw_densities, draw_moving_density
from shrinkage.figures.surface import surface_figure
from shrinkage.figures.weights import density_figure, weights_figure
from shrinkage.findings import Findings


@pytest.fixture(scope="module", params=["moons", "wine", "diabetes"])
def stage(request: pytest.FixtureRequest) -> Stage:
    findings: Findings = request.getfixturevalue(request.param)
    stage = Stage()
    path, learning = path_figure(findings), learning_figure(findings)
    surface, density = surface_figure(findings), density_figure(findings)
    weights = weights_figure(findings)
    assert path
    assert learning
    assert surface
    assert density
    assert weights
    draw_path(stage, path)
    draw_learning(stage, learning)
    draw_surfaces(stage, surface)
    draw_boxes(stage, weights)
    draw_densities(stage, weights)
    draw_moving_density(stage, density, surface.selected)
    return stage


def test_every_painted_role_has_a_colour_in_both_modes(stage: Stage) -> None:
    for paint in stage.paints:
        for mode in ("light", "dark"):
            assert paint.role in ROLES[mode] or paint.role in stage.palettes[mode]


def test_every_drawing_has_words(stage: Stage) -> None:
    for drawing in stage.drawings.values():
        assert len(drawing.alternative) > 20
        assert drawing.x_label


def test_nothing_is_left_in_a_colour_of_its_own(stage: Stage) -> None:
    """Whatever a mode cannot repaint would stand out in one of them."""
    painted = {(paint.model, paint.property) for paint in stage.paints}
    for drawing in stage.drawings.values():
        assert drawing.plot.background_fill_color is None
        for renderer in drawing.plot.renderers:
            glyph = renderer.glyph
            for name in glyph.properties() & {"line_color", "fill_color"}:
                value = getattr(glyph, name)
                hidden = value is None or getattr(glyph, name.replace("color", "alpha")) == 0
                assert hidden or isinstance(value, Field) or (glyph.id, name) in painted, (
                    drawing.name,
                    glyph,
                    name,
                )
        for mapper in drawing.plot.select(LinearColorMapper):
            assert (mapper.id, "palette") in painted


def test_logarithmic_ticks_are_plain_digits() -> None:
    plot = Stage().plot("x", "y", y_axis_type="log")
    loss_ticks(plot, 0.04, 3.0)
    assert plot.yaxis[0].ticker.ticks == [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]
    assert plot.yaxis[0].major_label_overrides[0.05] == "0.05"


def test_large_numbers_are_powers_of_ten() -> None:
    plot = Stage().plot("x", "y")
    compact_ticks(plot.xaxis, Range1d(-3.1e6, 3.1e6))
    labels = plot.xaxis[0].major_label_overrides
    assert labels[0.0] == "0"
    assert labels[-2e6] == "-2·10⁶"
    compact_ticks(plot.yaxis, Range1d(-20, 400))
    assert plot.yaxis[0].major_label_overrides == {}
