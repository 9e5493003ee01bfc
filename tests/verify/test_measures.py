from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from shrinkage.intervals import Interval
from shrinkage.verify.measures import (
    KINDS,
    ONE_SEED,
    Measure,
    Sides,
    over_seeds,
    sample,
    weighted_median,
)
from shrinkage.verify.performance import TOO_FEW


def sides(before, after):
    return Sides(np.array(before, dtype=float), np.array(after, dtype=float))


BEFORE = [8.0, 9.0, 11.0, 10.5]


def ends(interval):
    return interval.low, interval.high


def test_the_change_is_that_of_a_paired_t_test():
    values = sides(BEFORE, [2.0, 2.5, 5.0, 4.0])
    found = over_seeds("path_norm", "binary", values, paired=True)
    expected = stats.ttest_rel(values.after, values.before).confidence_interval()
    assert ends(found.difference) == pytest.approx(expected)
    assert found.difference.estimate == pytest.approx(-6.25)
    logs = stats.ttest_rel(np.log(values.after), np.log(values.before)).confidence_interval()
    assert ends(found.ratio) == pytest.approx(np.exp(logs))
    assert found.ratio.estimate == pytest.approx(stats.gmean(values.after / values.before))
    assert found.before.estimate == pytest.approx(values.before.mean())
    assert (found.outcome, found.change, found.improvement) == ("smaller", -1, 1)


def test_other_seeds_are_compared_by_welch():
    values = sides(BEFORE, [2.0, 7.5, 5.0])
    found = over_seeds("path_norm", "binary", values, paired=False)
    test = stats.ttest_ind(values.after, values.before, equal_var=False)
    assert ends(found.difference) == pytest.approx(test.confidence_interval())
    same = over_seeds("path_norm", "binary", sides([1, 1], [2, 2]), paired=False)
    assert ends(same.difference) == (1.0, 1.0)
    assert ends(same.ratio) == pytest.approx((2.0, 2.0))


def test_what_changes_by_a_factor_is_judged_by_the_factor():
    wide = sides([1.0, 10.0, 100.0], [0.1, 1.1, 9.0])
    norm = over_seeds("path_norm", "binary", wide, paired=True)
    assert not norm.difference.excludes(0.0)
    assert norm.outcome == "smaller"
    assert over_seeds("margin", "binary", wide, paired=True).ratio is None
    dead = over_seeds("jacobian_norm", "binary", sides([2.0, 2.1, 2.2], [0, 0, 0]), paired=True)
    assert dead.ratio is None
    assert dead.outcome == "flatter"


@pytest.mark.parametrize("paired", [True, False])
def test_one_seed_does_not_tell(paired):
    found = over_seeds("islands", "binary", sides([3.0], [0.0]), paired=paired)
    assert found.difference.estimate == -3.0
    assert (found.outcome, found.change) == (ONE_SEED, 0)


@pytest.mark.parametrize(
    ("name", "low", "high", "outcome", "improvement"),
    [
        ("jacobian_norm", -2.0, -1.0, "flatter", 1),
        ("jacobian_norm", 1.0, 2.0, "steeper", -1),
        ("jacobian_norm", -1.0, 2.0, "no clear difference", 0),
        ("normalized_margin", 1.0, 2.0, "larger", 1),
        ("margin", -2.0, -1.0, "smaller", 0),  # neither good nor bad
        ("expected_error", -np.inf, np.inf, TOO_FEW, 0),
    ],
)
def test_what_a_change_means(name, low, high, outcome, improvement):
    over = "test rows" if name == "expected_error" else "seeds"
    nothing = Interval(0.0, 0.0, 0.0)
    middle = 0.0 if np.isinf(low) else (low + high) / 2
    change = Interval(middle, low, high)
    found = Measure(name, "it", "", nothing, nothing, change, None, over)
    assert (found.outcome, found.improvement) == (outcome, improvement)


def test_units_of_a_regression():
    values = sides([1.0, 2.0], [1.0, 2.0])
    slope = over_seeds("jacobian_norm", "regression", values, paired=True)
    assert slope.unit == "target deviations per standard deviation"
    assert over_seeds("path_norm", "regression", values, paired=True).unit == ""
    assert all(kind.label and kind.better in (-1, 0, 1) for kind in KINDS.values())


def test_a_weighted_median_is_that_of_repeated_rows():
    rng = np.random.default_rng(0)
    values, counts = rng.normal(size=15), rng.integers(0, 5, 15)
    expected = np.median(np.repeat(values, counts))
    assert weighted_median(values, counts.astype(float)) == pytest.approx(expected)


def test_a_sample_is_always_the_same_and_has_no_row_without_weight():
    weights = np.ones(1_000)
    weights[::2] = 0.0
    assert sample(weights, 2_000).tolist() == list(range(1, 1_000, 2))
    few = sample(weights, 100)
    assert few.size == 100
    assert (few % 2 == 1).all()
    assert (np.diff(few) > 0).all()
    np.testing.assert_array_equal(few, sample(weights, 100))
