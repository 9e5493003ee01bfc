from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.network import layout
from shrinkage.verify.boundary import coordinates_on, plane_through
from shrinkage.verify.complexity import (
    boundary_lines,
    complexity,
    fine_plane,
    held_rows,
    islands,
    length_per_area,
    mean_curvature,
    no_boundary,
)


def two_classes(score):
    """Probabilities of two classes, the second where `score` is positive."""
    second = 1 / (1 + np.exp(-score))
    return np.stack([1 - second, second], axis=2)


@pytest.mark.parametrize("radius", [0.4, 1.0, 1.7])
def test_a_circle_has_its_circumference(radius):
    x, y = np.linspace(-2, 2, 201), np.linspace(-2.5, 2.5, 201)
    distance = np.hypot(*np.meshgrid(x, y))
    lines = boundary_lines(two_classes(radius - distance), x, y)
    assert length_per_area(lines, x, y) == pytest.approx(2 * np.pi * radius / 20, rel=1e-3)
    assert mean_curvature(lines, x, y) == pytest.approx(1 / radius, rel=1e-3)


def test_a_certain_network_has_the_same_circle():
    x = np.linspace(-2, 2, 201)
    distance = np.hypot(*np.meshgrid(x, x))
    second = (1 / (1 + np.exp(-300 * (1.0 - distance)))).astype(np.float32).astype(np.float64)
    assert np.mean(second == 1.0) > 0.1
    lines = boundary_lines(np.stack([1 - second, second], axis=2), x, x)
    assert length_per_area(lines, x, x) == pytest.approx(2 * np.pi / 16, rel=1e-3)
    assert mean_curvature(lines, x, x) == pytest.approx(1.0, rel=1e-2)


def test_an_ellipse_bends_by_a_full_turn():
    x = np.linspace(-3, 3, 301)
    across, along = np.meshgrid(x, x)
    lines = boundary_lines(two_classes(1 - np.hypot(across / 2, along)), x, x)
    length = 9.68845  # of an ellipse with half axes 2 and 1
    assert mean_curvature(lines, x, x) == pytest.approx(2 * np.pi / length, rel=1e-3)


def test_a_wave_bends_both_ways():
    x = np.linspace(-np.pi, np.pi, 401)
    across, along = np.meshgrid(x, x)
    lines = boundary_lines(two_classes(along - np.sin(across)), x, x)
    # The direction swings between +45° and -45°: 90° down from the middle's to the edge's, twice.
    assert mean_curvature(lines, x, x) == pytest.approx(np.pi / 7.6404, rel=1e-2)


def test_a_tiny_island_turns_once_around():
    x = np.linspace(-2, 2, 201)
    distance = np.hypot(*np.meshgrid(x, x))
    lines = boundary_lines(two_classes(0.03 - distance), x, x)
    assert mean_curvature(lines, x, x) == pytest.approx(1 / 0.03, rel=0.15)  # 1.5 steps wide


def test_three_classes_meet_in_three_rays():
    x = np.linspace(-1, 1, 301)
    across, along = np.meshgrid(x, x)
    angles = np.deg2rad([90, 210, 330])
    scores = np.stack([across * np.cos(a) + along * np.sin(a) for a in angles], axis=2)
    shares = np.exp(3 * scores) / np.exp(3 * scores).sum(axis=2, keepdims=True)
    # Between directions 120° apart: rays down to the edge, and at 30° and 150° to the sides.
    expected = (1 + 2 / np.cos(np.deg2rad(30))) / 4
    lines = boundary_lines(shares, x, x)
    assert length_per_area(lines, x, x) == pytest.approx(expected, rel=0.01)
    # Each class's corner turns by 60°, and each ray has two sides.
    assert mean_curvature(lines, x, x) == pytest.approx(np.pi / (8 * expected), rel=0.02)


def test_one_class_everywhere_has_no_boundary():
    x = np.linspace(0, 1, 20)
    lines = boundary_lines(two_classes(np.ones((20, 20))), x, x)
    assert (length_per_area(lines, x, x), mean_curvature(lines, x, x)) == (0.0, 0.0)


def board(*blocks, size=40):
    """A plane of class 0 with blocks (first row, last row, first column, last column, class)."""
    winners = np.zeros((size, size), dtype=np.int64)
    for top, bottom, left, right, kind in blocks:
        winners[top:bottom, left:right] = kind
    return winners


def rows_at(*places, size=40):
    rows = np.zeros((size, size), dtype=np.int64)
    for y, x, count in places:
        rows[y, x] = count
    return rows


HALF = (0, 40, 20, 40, 1)


def test_known_islands():
    winners = board(HALF, (10, 13, 5, 8, 1), (30, 33, 5, 8, 1), (10, 13, 30, 33, 0))
    assert islands(winners, rows_at()) == (3, 5)


def test_an_island_holds_few_rows():
    winners = board(HALF, (10, 13, 5, 8, 1), (30, 33, 5, 8, 1))
    assert islands(winners, rows_at((11, 6, 5))) == (2, 4)
    assert islands(winners, rows_at((11, 6, 4), (12, 7, 2))) == (1, 4)
    assert islands(winners, rows_at((11, 6, 1), (31, 6, 1)), most=0) == (0, 4)


def test_what_reaches_the_edge_is_no_island():
    assert islands(board(HALF, (0, 3, 5, 8, 1), (37, 40, 5, 8, 1)), rows_at()) == (0, 4)


def test_the_largest_region_of_a_class_is_no_island():
    assert islands(board((10, 20, 10, 20, 1)), rows_at()) == (0, 2)
    assert islands(board((10, 20, 10, 20, 1), (30, 33, 5, 8, 1)), rows_at()) == (1, 3)


def test_corners_join():
    assert islands(board(HALF, (10, 12, 5, 7, 1), (12, 14, 7, 9, 1)), rows_at()) == (1, 3)


def test_every_row_on_the_plane_is_counted_at_its_place(make_data):
    data = make_data(rows=3_000)  # more than are drawn
    plane = fine_plane(data)
    rows = held_rows(plane, coordinates_on(plane, data.full), (plane.y.size, plane.x.size))
    assert rows.sum() == len(data.full.inputs) - plane.outside
    average = (rows.sum(axis=0) @ plane.x) / rows.sum()
    inside = data.full.inputs[:, 0] * data.full.scale[0] + data.full.center[0]
    assert average == pytest.approx(inside.mean(), abs=0.05 * data.full.scale[0])


@pytest.mark.parametrize("inputs", [2, 5])
def test_coordinates_are_those_of_the_points_that_are_drawn(make_data, inputs):
    data = make_data(inputs=inputs)
    plane = plane_through(data)
    places = coordinates_on(plane, data.full)
    kept = [place for place in places if np.isclose(place, plane.points, atol=1e-4).all(1).any()]
    assert len(kept) == len(plane.points)


def with_a_line(fit, slope):
    """The same network with one live unit: its boundary is the line x0 = 0 of the inputs."""
    parameters = np.zeros_like(fit.parameters)
    for block in layout(fit.trial.network).blocks:
        array = block.of(parameters)
        if block.kind == "hidden kernel":
            array[0, 0] = slope
        elif block.kind == "output kernel":
            array[0, 0] = 1.0
    return replace(fit, parameters=parameters)


def test_a_straight_line_in_standard_deviations(make_data, make_fit):
    data = make_data()  # one input is ten times as wide as the other
    plane = fine_plane(data)
    found = complexity(with_a_line(make_fit(data), 2.0), plane, data)
    width = (plane.x[-1] - plane.x[0]) * data.full.scale[0] ** -1
    assert found.length == pytest.approx(1 / width, rel=1e-3)
    assert (found.islands, found.regions) == (0, 2)
    assert found.curvature == pytest.approx(0.0, abs=1e-3)


def test_more_inputs_and_classes(make_data, make_fit):
    data = make_data("multiclass", inputs=5)
    found = complexity(make_fit(data), fine_plane(data), data)
    assert found.length > 0
    assert found.regions >= 2


def test_why_there_is_no_boundary(make_data):
    assert no_boundary(make_data()) is None
    assert no_boundary(make_data("multiclass", inputs=5)) is None
    assert "the target is a number" in no_boundary(make_data("regression"))
    assert "one input" in no_boundary(make_data(inputs=1))
