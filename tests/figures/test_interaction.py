from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.exhibits.interaction_record import Interaction, Way
from shrinkage.figures.interaction import interaction_figure
from shrinkage.intervals import Interval
from shrinkage.penalties import L2
from shrinkage.scores import Failures

LOSSES = np.array([[0.50, 0.45, 0.46], [0.41, 0.40, 0.44], [0.90, 0.95, np.nan]])


@pytest.fixture
def found() -> Interaction:
    way = Way("L2 alone", 0.01, 0.0, 0.41, Interval(0.1, 0.05, 0.15))
    return Interaction(
        penalty=L2(),
        lambdas=(0.0, 0.01, 0.1),
        dropouts=(0.0, 0.2, 0.5),
        losses=LOSSES,
        errors=np.full((3, 3), 0.015),
        loss_name="log loss",
        unit="nats",
        folds=5,
        alone=way,
        dropout=replace(way, name="dropout alone"),
        both=replace(way, name="both"),
        extra=Interval(0.0, -0.1, 0.1),
        overlap=None,
        missing=0,
        failures=Failures(diverged=1),
    )


def test_every_cell_has_its_place_loss_and_names(found: Interaction) -> None:
    figure = interaction_figure(found)
    place = int(np.flatnonzero(figure.loss == 0.44)[0])
    assert (figure.lam[place], figure.dropout[place], figure.shown[place]) == (
        "0.01",
        "0.5",
        "0.440",
    )
    assert figure.x[place] == 2
    # λ = 0 has no logarithm: its row lies apart from the others.
    heights = [height for height, _ in figure.rows]
    assert heights[1] - heights[0] > heights[2] - heights[1] == 1
    assert figure.shown[-1] == "–"


def test_near_best_and_ridge_are_those_of_the_record(found: Interaction) -> None:
    figure = interaction_figure(found)
    np.testing.assert_array_equal(figure.loss[figure.near], [0.41, 0.40])
    assert figure.loss[figure.best] == 0.40
    np.testing.assert_array_equal(figure.loss[figure.ridge], [0.41, 0.40, 0.44])


def test_a_constant_prediction_does_not_take_all_the_colours(found: Interaction) -> None:
    figure = interaction_figure(found)
    assert figure.clipped
    assert figure.scale == (0.40, pytest.approx(0.40 + 1.5 * 0.1))
    assert figure.colour[figure.best] == 0
    assert figure.colour[6] == 1  # 0.90, beyond the scale
    np.testing.assert_allclose(figure.colour[0] ** 2, 0.1 / 0.15)


def test_equal_losses_are_one_colour(found: Interaction) -> None:
    figure = interaction_figure(replace(found, losses=np.full((3, 3), 0.5)))
    assert not figure.clipped
    np.testing.assert_array_equal(figure.colour, 0)
