from __future__ import annotations

from dataclasses import replace

import numpy as np

from shrinkage.exhibits.ratio import ratio_interval, ratio_over_folds
from shrinkage.intervals import corrected_interval


def test_the_ends_are_the_ratios_that_the_corrected_interval_just_allows():
    rng = np.random.default_rng(0)
    below = rng.normal(1.0, 0.2, 10)
    above = 0.6 * below + rng.normal(0, 0.1, 10)
    found = ratio_interval(above, below, 80, 20)
    assert found is not None
    assert found.low < found.estimate < found.high
    for end, side in ((found.low, "low"), (found.high, "high")):
        allowed = corrected_interval(above - end * below, 80, 20)
        nearest = min(abs(allowed.low), abs(allowed.high))
        np.testing.assert_allclose(nearest, 0, atol=1e-9, err_msg=side)


def test_a_denominator_that_may_be_nothing_has_no_ratio():
    below = np.array([1.0, -1.0, 0.5, -0.4, 0.1])
    assert ratio_interval(np.ones(5), below, 80, 20) is None
    assert ratio_interval(np.ones(1), np.ones(1), 80, 20) is None


def test_the_interval_holds_the_ratio_as_often_as_it_says():
    # Independent folds (no shared rows): Fieller's interval is exact for normal values.
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        below = rng.normal(2.0, 0.5, 10)
        above = 0.8 * below + rng.normal(0, 0.3, 10)
        found = ratio_interval(above, below, 1, 0)
        hits += found is not None and not found.excludes(0.8)
    assert 0.92 <= hits / 400 <= 0.98


def test_folds_without_a_value_are_left_out(synthetic_data):
    above = np.array([0.5, np.nan, 0.7, 0.6, 0.5])
    below = np.array([1.0, 1.0, 1.1, 1.2, 0.9])
    used = [0, 2, 3, 4]
    assert ratio_over_folds(above, below, synthetic_data()) == ratio_interval(
        above[used], below[used], 80, 20
    )
    assert ratio_over_folds(np.full(5, np.nan), below, synthetic_data()) is None


def test_independent_draws_need_no_wider_interval(synthetic_data):
    above = np.array([0.5, 0.55, 0.7, 0.6, 0.5])
    below = np.array([1.0, 1.0, 1.1, 1.2, 0.9])
    draws = replace(synthetic_data(), independent=True)
    assert ratio_over_folds(above, below, draws) == ratio_interval(above, below, 1, 0)
