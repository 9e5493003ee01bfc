from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from shrinkage.exhibits.power_law import (
    FASTEST,
    SLOWEST,
    draws_of_means,
    fit_power_law,
)
from shrinkage.intervals import corrected_interval

ROWS = np.array([80.0, 160.0, 320.0, 480.0, 640.0])


@given(
    floor=st.floats(0.0, 1.0),
    rise=st.floats(0.05, 5.0),
    exponent=st.floats(0.1, 1.8),
)
def test_a_known_law_is_found(floor, rise, exponent):
    scale = rise * 80**exponent  # `rise` above the floor at the fewest rows
    law = fit_power_law(ROWS, (floor + scale * ROWS**-exponent)[None])
    np.testing.assert_allclose(law.at(1280.0), floor + scale * 1280.0**-exponent, rtol=2e-4)
    np.testing.assert_allclose(law.exponent, exponent, rtol=0.02)


def test_many_curves_at_once_are_those_one_by_one():
    rng = np.random.default_rng(0)
    losses = 0.3 + 4 * ROWS**-0.6 + rng.normal(0, 0.01, (20, 5))
    typical = losses.mean(axis=0)
    together = fit_power_law(ROWS, losses)
    for index in (0, 7, 19):
        alone = fit_power_law(ROWS, losses[index : index + 1], typical)
        np.testing.assert_allclose(together.exponent[index], alone.exponent[0], rtol=1e-9)
        np.testing.assert_allclose(together.at(640.0)[index], alone.at(640.0)[0], rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_fit_of_scipy_is_better(seed):
    rng = np.random.default_rng(seed)
    losses = rng.uniform(0.05, 0.4) + rng.uniform(1, 9) * ROWS**-0.5 + rng.normal(0, 0.02, 5)
    law = fit_power_law(ROWS, losses[None])

    def residuals(values):
        a, b, c = values
        return (a + b * (ROWS / 300) ** -c - losses) / losses

    best = min(
        least_squares(
            residuals,
            (losses.min() / 2, start, c),
            bounds=([0, 0, SLOWEST], [np.inf, np.inf, FASTEST]),
        ).cost
        for start in (0.01, 0.3)
        for c in (0.1, 0.5, 1.5)
    )
    own = (law.at(ROWS) - losses) / losses
    assert 0.5 * np.sum(own**2) <= best * 1.0001 + 1e-12


def test_a_rising_curve_is_flat_and_reaches_nothing_below():
    law = fit_power_law(ROWS, np.linspace(0.2, 0.4, 5)[None])
    assert law.scale[0] == 0
    np.testing.assert_array_equal(law.rows_for(0.1), [np.inf])
    np.testing.assert_array_equal(law.rows_for(0.5), [0.0])


def test_rows_for_a_loss_are_where_the_curve_has_it():
    law = fit_power_law(ROWS, np.stack([0.2 + 5 * ROWS**-0.5, 0.1 + 30 * ROWS**-1.0]))
    np.testing.assert_allclose(law.at(law.rows_for(0.22)), 0.22)
    np.testing.assert_allclose(law.rows_for(0.22), [(5 / 0.02) ** 2, 30 / 0.12], rtol=1e-3)
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
