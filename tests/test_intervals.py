from __future__ import annotations

from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from shrinkage.errors import ShrinkageError
from shrinkage.intervals import Interval, bootstrap_interval, corrected_interval, decimals

differences = arrays(
    np.float64, st.integers(2, 12), elements=st.floats(-10, 10, allow_subnormal=False)
)


def test_an_interval_prints_with_common_decimals():
    assert str(Interval(0.161, 0.12, 0.2024)) == "0.161 [0.120, 0.202]"
    assert str(Interval(-0.0001, -0.2, 0.1)) == "0.000 [-0.200, 0.100]"
    assert str(Interval(1234.5, 1200.2, 1300.9)) == "1234 [1200, 1301]"
    assert Interval(0.5, -inf, inf).with_unit("nats") == "0.500 nats [unbounded]"


def test_an_interval_excludes_what_lies_strictly_outside():
    interval = Interval(1.0, 0.5, 1.5)
    assert interval.excludes(0.4)
    assert interval.excludes(1.6)
    assert not interval.excludes(0.5)
    assert not Interval(1.0, -inf, inf).excludes(-1e300)
    assert -interval == Interval(-1.0, -1.5, -0.5)


def test_decimals_show_three_digits_of_the_largest():
    assert [decimals(x) for x in (0.0, 1e-12, 0.05, 0.5, 5.0, 50.0, 500.0, -5e6)] == [
        3, 3, 4, 3, 2, 1, 0, 0,
    ]  # fmt: skip
    assert decimals(0.001, inf, nan, 3.0) == 2


def test_corrected_interval_is_nadeau_and_bengios():
    values = np.array([0.12, 0.20, 0.05, 0.11, 0.17])
    found = corrected_interval(values, 80, 20, level=0.9)
    error = sqrt((1 / 5 + 20 / 80) * values.var(ddof=1))
    low, high = stats.t.interval(0.9, 4, loc=values.mean(), scale=error)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.estimate == pytest.approx(values.mean())
    assert found.level == 0.9


@given(values=differences)
def test_without_shared_rows_it_is_students_interval(values):
    found = corrected_interval(values, 80, 0)
    if np.ptp(values) > 1e-6:
        low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_one_fold_says_nothing_about_the_spread():
    found = corrected_interval(np.array([0.3]), 80, 20)
    assert found == Interval(0.3, -inf, inf)
    assert not found.bounded


@pytest.mark.parametrize("value", [0.0, 0.25, -3.0])
def test_equal_differences_have_no_width(value):
    found = corrected_interval(np.full(5, value), 80, 20)
    assert (found.low, found.high) == pytest.approx((value, value))
    assert found.excludes(0.0) == (value != 0)


@pytest.mark.parametrize("values", [[], [0.1, nan], [inf, 0.0]])
def test_nothing_to_average_is_refused(values):
    with pytest.raises(ShrinkageError, match="at least one fold"):
        corrected_interval(np.array(values), 80, 20)


@pytest.mark.parametrize(("repeats", "folds"), [(1, 3), (1, 5), (2, 5)])
def test_the_interval_holds_the_truth_as_often_as_it_says(repeats, folds):
    # Folds that share training rows are correlated by validation / (training + validation) rows
    # (Nadeau & Bengio, section 5), the assumption that the correction stands on.
    share = 1 / folds
    rng = np.random.default_rng(0)
    common = rng.normal(size=(4_000, 1)) * np.sqrt(share)
    own = rng.normal(size=(4_000, repeats * folds)) * np.sqrt(1 - share)
    found = [corrected_interval(d, 1 - share, share) for d in 0.3 + common + own]
    coverage = np.mean([not interval.excludes(0.3) for interval in found])
    assert coverage == pytest.approx(0.95, abs=0.012)


def means(values):
    return lambda counts: np.stack([(values @ counts) / counts.sum(axis=0)])


def test_bootstrap_of_a_mean_agrees_with_theory():
    values = np.random.default_rng(1).normal(3.0, 2.0, size=400)
    (found,) = bootstrap_interval(means(values), 400, resamples=4_000)
    assert found.estimate == pytest.approx(values.mean(), abs=1e-12)
    reach = 1.96 * values.std() / 20
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - reach, values.mean() + reach), abs=0.1 * reach
    )


def test_bootstrap_repeats_itself_and_depends_on_the_seed():
    values = np.arange(50.0)
    first, again, other = (
        bootstrap_interval(means(values), 50, resamples=100, seed=seed)[0] for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def resampled(rows, strata):
    """How often each row is drawn in 50 resamples."""
    seen = []

    def statistic(counts):
        seen.append(counts)
        return counts[:1].astype(float)

    bootstrap_interval(statistic, rows, strata, resamples=50)
    return np.concatenate(seen[1:], axis=1)


@pytest.mark.parametrize("rows", [17, 30_000])  # in one chunk, and in several
def test_every_resample_draws_within_the_strata(rows):
    strata = np.r_[np.zeros(5), np.ones(rows - 11), np.full(6, 2)].astype(int)
    np.random.default_rng(0).shuffle(strata)
    counts = resampled(rows, strata)
    assert counts.shape == (rows, 50)
    for label in range(3):
        assert np.all(counts[strata == label].sum(axis=0) == np.sum(strata == label))
    assert counts.var() > 0.1


@pytest.mark.parametrize(
    ("sizes", "together"),
    [
        ((20, 1), (0, 1)),  # one row alone: with the next class
        ((20, 6, 1), (1, 2)),
        ((20, 3, 2), (1, 2)),
        ((4, 4, 4), (0, 1, 2)),
    ],
)
def test_small_strata_are_drawn_together(sizes, together):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    counts = resampled(strata.size, strata)
    pooled = np.isin(strata, together)
    assert np.all(counts[pooled].sum(axis=0) == pooled.sum())
    smallest = strata == np.argmin(sizes)
    assert counts[smallest].sum(axis=0).std() > 0
    for label in set(range(len(sizes))) - set(together):
        assert np.all(counts[strata == label].sum(axis=0) == sizes[label])


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_a_handful_of_rows_says_nothing_about_the_spread(rows):
    values = np.arange(float(rows))
    (found,) = bootstrap_interval(means(values), rows)
    assert found == Interval(values.mean(), -inf, inf)


def test_statistics_share_their_resamples():
    values = np.random.default_rng(2).normal(size=60)

    def statistic(counts):
        mean = means(values)(counts)[0]
        return np.stack([mean, mean + 1.0, (mean + 1.0) - mean])

    _, _, difference = bootstrap_interval(statistic, 60, resamples=200)
    assert (difference.low, difference.high) == pytest.approx((1.0, 1.0))


def test_undefined_resamples_are_left_out():
    def sometimes(counts):
        return np.where(counts[:1] > 0, 2.0, nan)

    def never(counts):
        return np.full((1, counts.shape[1]), nan)

    (found,) = bootstrap_interval(sometimes, 10, resamples=100)
    assert (found.low, found.high) == (2.0, 2.0)
    (found,) = bootstrap_interval(never, 10, resamples=100)
    assert not found.bounded


def test_no_rows_are_refused():
    with pytest.raises(ShrinkageError, match="the test set is empty"):
        bootstrap_interval(means(np.array([])), 0)
