from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from shrinkage.exhibits.power_law import (
    FASTEST,
    SLOWEST,
    PowerLaw,
    draws_of_means,
    fit_power_laws,
)
from shrinkage.intervals import corrected_interval

ROWS = np.array([80.0, 160.0, 320.0, 480.0, 640.0])


def fit(first, second, errors=None):
    pair = (np.atleast_2d(first), np.atleast_2d(second))
    return fit_power_laws(ROWS, pair, errors or tuple(one.mean(axis=0) for one in pair))


@given(
    floor=st.floats(0.0, 1.0),
    rises=st.tuples(st.floats(0.05, 5.0), st.floats(0.05, 5.0)),
    exponents=st.tuples(st.floats(0.15, 1.8), st.floats(0.15, 1.8)),
)
def test_known_laws_are_found(floor, rises, exponents):
    known = [  # each curve lies its rise above the floor at the fewest rows
        PowerLaw(np.array([floor]), np.array([rise * 80**c]), np.array([c]))
        for rise, c in zip(rises, exponents, strict=True)
    ]
    for found, true in zip(fit(*(law.at(ROWS) for law in known)), known, strict=True):
        np.testing.assert_allclose(found.at(1280.0), true.at(1280.0), rtol=1e-3)
        np.testing.assert_allclose(found.exponent, true.exponent, rtol=0.05)


def test_a_curve_that_has_arrived_tells_the_floor_of_the_other():
    # From its own five points a steep curve's floor is anybody's guess: noise decides.
    rng = np.random.default_rng(0)
    steep = (0.3 + 400 * ROWS**-1.2) * (1 + rng.normal(0, 0.03, (50, 5)))
    arrived = (0.3 + 2 * ROWS**-1.0) * (1 + rng.normal(0, 0.005, (50, 5)))
    laws, _ = fit(steep, arrived, (0.03 * steep.mean(axis=0), 0.005 * arrived.mean(axis=0)))
    assert np.abs(laws.floor - 0.3).mean() < 0.01


def test_many_pairs_at_once_are_those_one_by_one():
    rng = np.random.default_rng(0)
    losses = [0.3 + 4 * ROWS**-0.6 + rng.normal(0, 0.01, (20, 5)) for _ in range(2)]
    errors = (np.full(5, 0.01), np.full(5, 0.02))
    together = fit(*losses, errors)
    for index in (0, 7, 19):
        alone = fit(*(one[index] for one in losses), errors)
        for many, one in zip(together, alone, strict=True):
            np.testing.assert_allclose(many.exponent[index], one.exponent[0], rtol=1e-9)
            np.testing.assert_allclose(many.at(640.0)[index], one.at(640.0)[0], rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_fit_of_scipy_is_better(seed):
    rng = np.random.default_rng(seed)
    floor = rng.uniform(0.05, 0.4)
    losses = np.array([floor + rng.uniform(1, 9) * ROWS**-c for c in (0.5, 0.9)])
    losses += rng.normal(0, 0.02, (2, 5))
    errors = np.stack([np.linspace(0.04, 0.01, 5), np.full(5, 0.02)])

    def residuals(values):
        a, *own = values
        curves = [a + b * (ROWS / 300) ** -c for b, c in zip(own[:2], own[2:], strict=True)]
        return ((np.array(curves) - losses) / errors).ravel()

    best = min(
        least_squares(
            residuals,
            (losses.min() / 2, start, start, c, d),
            bounds=([0, 0, 0, SLOWEST, SLOWEST], [np.inf, np.inf, np.inf, FASTEST, FASTEST]),
        ).cost
        for start in (0.01, 0.3)
        for c in (0.1, 0.5, 1.5)
        for d in (0.1, 0.5, 1.5)
    )
    laws = fit(losses[0], losses[1], tuple(errors))
    own = [(law.at(ROWS) - y) / e for law, y, e in zip(laws, losses, errors, strict=True)]
    assert 0.5 * np.square(own).sum() <= best * 1.001 + 1e-12
    assert laws[0].floor == laws[1].floor


def test_a_rising_curve_is_flat_and_reaches_nothing_below():
    rising, _ = fit(np.linspace(0.2, 0.4, 5), np.full(5, 0.3))
    assert rising.scale[0] == 0
    np.testing.assert_array_equal(rising.rows_for(0.1), [np.inf])
    np.testing.assert_array_equal(rising.rows_for(0.5), [0.0])


def test_rows_for_a_loss_are_where_the_curve_has_it():
    law = PowerLaw(np.array([0.2, 0.1]), np.array([5.0, 30.0]), np.array([0.5, 1.0]))
    np.testing.assert_allclose(law.at(law.rows_for(0.22)), 0.22)
    np.testing.assert_allclose(law.rows_for(0.22), [(5 / 0.02) ** 2, 30 / 0.12])
    assert np.isinf(law.rows_for(0.15)[0])


def test_margins_of_the_draws_are_the_corrected_intervals():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (6, 1)) + rng.normal(0, 0.3, (6, 3))
    drawn = draws_of_means(values, 80, 20, 200_000)
    for column in range(3):
        expected = corrected_interval(values[:, column], 80, 20)
        low, high = np.quantile(drawn[:, column], [0.025, 0.975])
        np.testing.assert_allclose([low, high], [expected.low, expected.high], rtol=0.03)
    # Differences of paired columns have their own, narrower interval.
    expected = corrected_interval(values[:, 0] - values[:, 1], 80, 20)
    low, high = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    np.testing.assert_allclose([low, high], [expected.low, expected.high], rtol=0.03)
