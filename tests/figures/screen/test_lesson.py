from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bokeh.models import GlyphRenderer

from shrinkage.figures.colours import Mode
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.lesson import dashes_of, draw_chart, draw_matrix, renamed
from shrinkage.intervals import Interval
from shrinkage.lesson.pictures import Chart, Line, banded


def chart(*lines: Line, **more: Any) -> Chart:
    return Chart("Title", "width", "loss (nats)", "See.", lines, **more)


def line(role: str, *y: float, **more: Any) -> Line:
    return Line("label", role, np.arange(1.0, len(y) + 1), np.array(y), **more)


def test_lines_of_one_role_differ_and_each_role_has_its_own() -> None:
    roles = ("penalized", "none", "none", "train", "test", "validation")
    assert dashes_of(tuple(line(role, 1) for role in roles)) == [0, 0, 1, 1, 2, 0]


def test_everything_lies_within_the_axes() -> None:
    stage = Stage()
    intervals = [Interval(1, 0.5, 2), Interval(10, 8, 40)]
    draw_chart(stage, chart(banded("a", "test", (1, 1000), intervals), x_scale="log"), "one")
    plot = stage.drawings["one"].plot
    assert plot.y_range.start < 0.5
    assert plot.y_range.end > 40
    assert 0 < plot.x_range.start < 1
    assert plot.x_range.end > 1000


def test_a_logarithmic_axis_places_what_is_not_positive_at_its_end() -> None:
    stage = Stage()
    low, high = np.array([-1.0, 0.05]), np.array([0.2, 0.3])
    draw_chart(stage, chart(line("none", 0.1, 0.2, low=low, high=high), y_scale="log"), "one")
    plot = stage.drawings["one"].plot
    (source, *_) = [one.data_source for one in plot.renderers if isinstance(one, GlyphRenderer)]
    assert plot.y_range.start > 0
    assert source.data["low"].min() == plot.y_range.start


@pytest.mark.parametrize("values", [(1.0,), (2.0, 2.0), (0.0, 0.0)])
def test_a_line_without_extent_still_has_an_axis(values: tuple[float, ...]) -> None:
    stage = Stage()
    for scale in ("linear", "log"):
        draw_chart(stage, chart(line("none", *values), y_scale=scale), scale)
        plot = stage.drawings[scale].plot
        assert plot.y_range.start < plot.y_range.end
        assert plot.x_range.start < plot.x_range.end


def test_a_chart_without_a_width_of_its_intervals_has_no_band() -> None:
    stage = Stage()
    unknown = [Interval(1, -np.inf, np.inf), Interval(2, -np.inf, np.inf)]
    draw_chart(stage, chart(banded("a", "none", (1, 2), unknown)), "one")
    kinds = [type(one.glyph).__name__ for one in stage.drawings["one"].plot.renderers]
    assert "VArea" not in kinds


def test_words_tell_the_numbers_to_those_who_cannot_see_them() -> None:
    stage = Stage()
    ticks = ((1.0, "none"), (2.0, "L2"))
    draw_chart(stage, chart(line("none", 0.25, 0.5), ticks=ticks), "one")
    drawing = stage.drawings["one"]
    assert drawing.alternative == "loss (nats) against width (none, L2). label: 0.25, 0.5."
    assert (drawing.x_label, drawing.y_label) == ("width", "loss (nats)")


def test_only_exact_zeros_are_blank() -> None:
    stage = Stage()
    kernel = np.array([[0.0, 1e-9, -2.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    draw_matrix(stage, "L1", kernel, "one")
    plot = stage.drawings["one"].plot
    (codes,) = plot.renderers[0].data_source.data["codes"]
    np.testing.assert_array_equal(codes == 0, kernel == 0)
    assert codes[0, 2] == 255 > codes[1, 2] > codes[0, 1] >= 1
    assert "50.0% of them exactly zero" in stage.drawings["one"].alternative
    papers: tuple[tuple[Mode, str], ...] = (("light", "#ffffff"), ("dark", "#1a1e23"))
    for mode, paper in papers:
        palette = stage.palettes[mode]["magnitude"]
        assert len(palette) == 256
        assert palette[0] == paper
        assert paper not in palette[1:]


def test_a_matrix_of_zeros_is_all_blank() -> None:
    stage = Stage()
    draw_matrix(stage, "L1", np.zeros((3, 3), dtype=np.float32), "one")
    assert not stage.drawings["one"].plot.renderers[0].data_source.data["codes"][0].any()


def test_a_drawing_can_be_renamed() -> None:
    stage = Stage()
    draw_chart(stage, chart(line("none", 1, 2)), "old")
    assert renamed(stage, "old", "new") == "new"
    assert list(stage.drawings) == ["new"]
    assert stage.drawings["new"].name == stage.drawings["new"].plot.name == "new"
