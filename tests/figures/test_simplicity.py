from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.figures.simplicity import simplicity_figure, simplicity_of_sides
from shrinkage.findings import Findings
from shrinkage.verify.measures import Sides
from shrinkage.verify.simplicity import Simplicity


def measured(found: Findings) -> Simplicity:
    assert found.verification is not None
    assert found.verification.simplicity is not None
    return found.verification.simplicity


def test_curves_are_the_quantiles_of_the_rows(moons: Findings) -> None:
    figure, found = simplicity_figure(moons), measured(moons)
    assert figure is not None
    assert figure.margins is not None
    assert found.certainty is not None
    for curve, values in (
        (figure.slopes, found.slopes),
        (figure.margins, found.certainty.margins),
    ):
        assert curve.shares[100] == 0.5
        for side, rows in zip(curve.values, values, strict=True):
            assert side[100] == pytest.approx(np.median(rows))
            assert (side[0], side[-1]) == pytest.approx((rows.min(), rows.max()))
            assert curve.x_range[0] < np.median(rows) < curve.x_range[1]
    assert figure.reliability == found.certainty.reliability
    assert figure.least_confidence == 0.5


def test_rows_count_by_their_weight(diabetes: Findings) -> None:
    found = measured(diabetes)
    weights = np.arange(found.weights.size) % 3.0
    figure = simplicity_of_sides(replace(found, weights=weights), ("a", "b"), 1)
    again = np.repeat(found.slopes.before, weights.astype(int))
    assert figure.slopes.values.before[100] == pytest.approx(np.median(again), rel=0.01)


def test_the_margins_axis_holds_zero(moons: Findings) -> None:
    found = measured(moons)
    assert found.certainty is not None
    right = Sides(*(np.abs(side) + 3.0 for side in found.certainty.margins))
    shifted = replace(found, certainty=replace(found.certainty, margins=right))
    figure = simplicity_of_sides(shifted, ("a", "b"), 2)
    assert figure.margins is not None
    assert figure.margins.x_range[0] < 0 < figure.margins.x_range[1]


def test_a_regression_has_slopes_alone(diabetes: Findings) -> None:
    figure = simplicity_figure(diabetes)
    assert figure is not None
    assert figure.margins is None
    assert figure.reliability is None
    assert figure.slopes.unit == "target deviations per standard deviation"


def test_a_dead_network_has_a_place_on_a_logarithmic_axis(diabetes: Findings) -> None:
    found = measured(diabetes)
    for dead in (
        Sides(found.slopes.before, np.zeros(5)),
        Sides(np.zeros(5), np.zeros(5)),
    ):
        figure = simplicity_of_sides(replace(found, slopes=dead), ("a", "b"), 1)
        low, high = figure.slopes.x_range
        assert 0 < low < high
        assert (figure.slopes.values.after > 0).all()


def test_without_a_penalty_there_is_one_side(moons: Findings) -> None:
    alone = replace(measured(moons), penalized=False)
    figure = simplicity_of_sides(alone, ("no penalty", "no penalty"), 2)
    assert figure.margins is not None
    assert not figure.penalized
    assert figure.slopes.values.after.size == figure.margins.values.after.size == 0


def test_nothing_verified_nothing_drawn(moons: Findings) -> None:
    assert simplicity_figure(replace(moons, verification=None)) is None
