"""Every statistic against scikit-learn, on resamples: counts are sample weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from shrinkage.verify import metrics


@pytest.fixture
def resamples():
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.5, 2.0, size=150)
    counts = rng.multinomial(150, np.full(150, 1 / 150), size=4).T.astype(np.float32)
    return weights, counts


def compare(statistic, counts, expected, tolerance=1e-5):
    found = statistic(counts)
    assert found.shape == (counts.shape[1],)
    np.testing.assert_allclose(
        found, [expected(column) for column in counts.T], rtol=tolerance, atol=tolerance
    )
    exact = statistic(np.ones((len(counts), 1)))[0]
    assert exact == pytest.approx(expected(np.ones(len(counts))), rel=1e-9)


def test_mean(resamples):
    weights, counts = resamples
    values = np.linspace(-3, 9, 150)
    compare(
        metrics.mean(values, weights), counts, lambda c: np.average(values, weights=weights * c)
    )


def test_root_mean_is_averaged_over_targets(resamples):
    weights, counts = resamples
    truth = np.random.default_rng(1).normal(size=(150, 3)) * [1.0, 10.0, 100.0]
    squares = np.square(truth)

    def expected(c):
        return sk.root_mean_squared_error(truth, 0 * truth, sample_weight=weights * c)

    compare(metrics.root_mean(squares, weights), counts, expected)


def test_balanced_accuracy(resamples):
    weights, counts = resamples
    rng = np.random.default_rng(2)
    truth = rng.choice(3, size=150, p=[0.7, 0.2, 0.1])
    predicted = rng.integers(0, 3, size=150)
    hits = (truth == predicted).astype(float)

    def expected(c):
        return sk.balanced_accuracy_score(truth, predicted, sample_weight=weights * c)

    compare(metrics.mean_by_class(hits, metrics.class_members(weights, truth)), counts, expected)


def test_a_resample_without_a_class_goes_by_the_others():
    truth = np.repeat([0, 1, 2], [4, 4, 1])
    hits = np.array([1, 1, 0, 0, 1, 1, 1, 0, 1], dtype=float)
    counts = np.ones((9, 2), np.float32)
    counts[8] = [1, 0]
    found = metrics.mean_by_class(hits, metrics.class_members(np.ones(9), truth))(counts)
    np.testing.assert_allclose(found, [(0.5 + 0.75 + 1) / 3, (0.5 + 0.75) / 2])
    areas = [metrics.auc(np.arange(9.0), truth == label, np.ones(9)) for label in (1, 2)]
    assert metrics.mean_of(areas)(counts)[1] == pytest.approx(areas[0](counts)[1])


def test_a_metric_without_a_class_in_the_sample_itself_is_undefined():
    members = metrics.class_members(np.array([1.0, 1, 0, 0]), np.array([0, 0, 1, 1]))
    statistic = metrics.mean_by_class(np.ones(4), members)
    assert np.isnan(statistic(np.ones((4, 1)))[0])


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_r_squared(resamples, offset):
    weights, counts = resamples
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(150, 2)) * [1.0, 50.0] + offset
    predicted = truth + rng.normal(size=(150, 2)) * [0.5, 40.0]

    def expected(c):
        return sk.r2_score(truth, predicted, sample_weight=weights * c)

    compare(metrics.r_squared(np.square(truth - predicted), truth, weights), counts, expected, 1e-4)


def test_r_squared_is_undefined_when_a_resample_holds_one_value():
    truth = np.array([[1.0], [2.0], [2.0]])
    statistic = metrics.r_squared(np.ones((3, 1)), truth, np.ones(3))
    found = statistic(np.array([[3, 1], [0, 1], [0, 1]], dtype=np.float32))
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


@pytest.mark.parametrize("ties", [False, True])
def test_auc_with_few_rows_is_exact_in_every_resample(resamples, ties):
    weights, counts = resamples
    rng = np.random.default_rng(4)
    positive = rng.random(150) < 0.3
    scores = rng.normal(size=150) + positive
    scores = np.round(scores) if ties else scores

    def expected(c):
        return sk.roc_auc_score(positive, scores, sample_weight=weights * c)

    compare(metrics.auc(scores, positive, weights), counts, expected)


@pytest.mark.parametrize("ties", [False, True])
def test_auc_with_many_rows_is_accurate_to_second_order(ties):
    rng = np.random.default_rng(5)
    rows = 3_000
    positive = rng.random(rows) < 0.2
    scores = rng.normal(size=rows) + positive
    scores = np.round(scores, 1) if ties else scores
    weights = rng.uniform(0.5, 2.0, size=rows)
    counts = np.empty((rows, 60), np.float32)
    for side in (positive, ~positive):
        size = side.sum()
        counts[side] = rng.multinomial(size, np.full(size, 1 / size), size=60).T
    statistic = metrics.auc(scores, positive, weights)
    expected = [sk.roc_auc_score(positive, scores, sample_weight=weights * c) for c in counts.T]
    found = statistic(counts)
    assert np.std(found - expected) < 0.06 * np.std(expected)
    exact = sk.roc_auc_score(positive, scores, sample_weight=weights)
    assert statistic(np.ones((rows, 1)))[0] == pytest.approx(exact, abs=1e-12)
