from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from shrinkage.figures.surface import surface_figure
from shrinkage.findings import Findings


def test_codes_give_back_probabilities(moons: Findings) -> None:
    figure = surface_figure(moons)
    assert figure is not None
    assert moons.verification is not None
    for frame, surface in zip(figure.frames, moons.verification.boundary.surfaces, strict=True):
        assert frame.codes.dtype == np.uint8
        np.testing.assert_allclose(frame.codes / 255, surface.values, atol=0.5 / 255 + 1e-6)


def test_codes_give_back_predictions(diabetes: Findings) -> None:
    figure = surface_figure(diabetes)
    assert figure is not None
    assert diabetes.verification is not None
    low, high = figure.values
    for frame, surface in zip(figure.frames, diabetes.verification.boundary.surfaces, strict=True):
        shown = low + (high - low) * frame.codes / 255
        wanted = np.clip(surface.values, low, high)
        np.testing.assert_allclose(shown, wanted, atol=0.51 * (high - low) / 255)
    rows = figure.plane.point_targets
    assert low <= rows.min()
    assert rows.max() <= high


def test_codes_give_back_classes_and_their_probability(wine: Findings) -> None:
    figure = surface_figure(wine)
    assert figure is not None
    assert wine.verification is not None
    for frame, surface in zip(figure.frames, wine.verification.boundary.surfaces, strict=True):
        winner, level = np.divmod(frame.codes.astype(int), figure.levels)
        np.testing.assert_array_equal(winner, surface.winners)
        probability = 1 / 3 + (2 / 3) * level / (figure.levels - 1)
        np.testing.assert_allclose(probability, surface.values, atol=0.5 / (figure.levels - 1))


def test_the_contour_is_where_the_probability_is_one_half(moons: Findings) -> None:
    figure = surface_figure(moons)
    assert figure is not None
    assert moons.verification is not None
    plane = figure.plane
    seen = 0
    for frame, surface in zip(figure.frames, moons.verification.boundary.surfaces, strict=True):
        on_line = np.isfinite(frame.contour_x)
        points = np.column_stack([frame.contour_y[on_line], frame.contour_x[on_line]])
        probability = RegularGridInterpolator((plane.y, plane.x), surface.values.astype(float))
        # Contour lines meet the grid's edges exactly; float32 moves them by its last digit.
        inside = np.clip(points, [plane.y[0], plane.x[0]], [plane.y[-1], plane.x[-1]])
        np.testing.assert_allclose(probability(inside), 0.5, atol=2e-3)
        seen += len(points)
    assert seen > 20


def test_the_slider_starts_at_the_selection(moons: Findings) -> None:
    figure = surface_figure(moons)
    assert figure is not None
    assert moons.verification is not None
    assert figure.frames[figure.selected].label == moons.verification.after


def test_nothing_without_a_verification(moons: Findings) -> None:
    assert surface_figure(replace(moons, verification=None)) is None
