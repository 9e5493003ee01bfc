from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from shrinkage.intervals import Interval
from shrinkage.verify.calibration import calibration, cautious, reflected, reliability


def drawn(rows=2_000, classes=2, seed=0, sharper=1.0):
    """Probabilities, and classes that follow them; `sharper` says more than is true."""
    rng = np.random.default_rng(seed)
    scores = 1.5 * rng.standard_normal((rows, classes))
    truth = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    targets = (rng.random((rows, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    said = np.exp(sharper * scores)
    return said / said.sum(axis=1, keepdims=True), np.minimum(targets, classes - 1)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_brier_score_is_that_of_scikit_learn(classes, weighted):
    said, targets = drawn(300, classes)
    weights = np.random.default_rng(1).random(300) if weighted else None
    expected = brier_score_loss(
        targets,
        said[:, 1] if classes == 2 else said,
        sample_weight=weights,
        labels=list(range(classes)),
    )
    assert calibration(said, targets, weights).brier.estimate == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_expected_error_by_hand(weighted):
    # Two bins of 10 rows: 9 of 10 right where 0.6 was said, 5 of 10 right where 0.95 was.
    said = np.repeat([0.6, 0.95], 10)
    right = np.array([1] * 9 + [0] + [1] * 5 + [0] * 5)
    weights = np.array([1.0] * 10 + [2.0] * 10) if weighted else None
    found = calibration(np.column_stack([1 - said, said]), right, weights)
    expected = (0.3 * 10 + 0.45 * 20) / 30 if weighted else (0.3 + 0.45) / 2
    assert found.expected_error.estimate == pytest.approx(expected)
    assert [one.rows for one in found.bins] == [10, 10]
    assert [one.accuracy for one in found.bins] == pytest.approx([0.9, 0.5])
    assert [one.confidence for one in found.bins] == pytest.approx([0.6, 0.95])
    signed = (-0.3 * 10 + 0.45 * 20) / 30 if weighted else 0.075
    assert found.overconfidence == pytest.approx(signed)


def test_bins_of_equal_mass():
    said, targets = drawn(500)
    found = calibration(said, targets)
    assert [one.rows for one in found.bins] == [50] * 10
    assert sum(one.share for one in found.bins) == pytest.approx(1.0)
    heavy = np.where(said.max(axis=1) > 0.9, 10.0, 0.1)
    shares = [one.share for one in calibration(said, targets, heavy).bins]
    assert min(shares) > 0.05


def test_equal_confidences_stay_together():
    said = np.tile([0.25, 0.75], (100, 1))
    found = calibration(said, np.arange(100) % 4 > 0)
    assert len(found.bins) == 1
    assert found.expected_error.estimate == pytest.approx(0.0)


def test_what_chance_explains():
    said, targets = drawn(1_000)
    found = calibration(said, targets)
    assert found.expected_error.estimate == pytest.approx(found.by_chance, abs=0.02)
    few = calibration(said[:60], targets[:60])
    assert few.by_chance > 2 * found.by_chance


def test_an_overconfident_network_is_seen():
    said, targets = drawn(2_000, sharper=4.0)
    found = calibration(said, targets)
    assert found.expected_error.low > 2 * found.by_chance
    assert found.overconfidence > 0.05
    assert found.expected_error.low < found.expected_error.estimate < found.expected_error.high


@pytest.mark.parametrize("sharper", [1.5, 4.0])
def test_the_interval_holds_the_value_of_a_large_sample(sharper):
    said, targets = drawn(100_000, sharper=sharper, seed=7)
    truth = calibration(said, targets, resamples=10).expected_error.estimate
    held = 0
    for part in range(40):
        rows = slice(100 * part, 100 * (part + 1))
        interval = calibration(said[rows], targets[rows], resamples=200).expected_error
        held += not interval.excludes(truth)
    # About 37 are to be expected; percentile intervals hold it 10 times where sharper is 1.5.
    assert held >= 33


def test_an_interval_turned_around_holds_its_estimate():
    assert reflected(Interval(3.0, 2.0, 7.0)) == Interval(3.0, -1.0, 4.0)
    assert reflected(Interval(3.0, 2.0, 7.0), least=0.0) == Interval(3.0, 0.0, 4.0)
    assert reflected(Interval(3.0, 4.0, 5.0)) == Interval(3.0, 1.0, 3.0)
    unbounded = Interval(3.0, -np.inf, np.inf)
    assert reflected(unbounded, least=0.0) == unbounded


def test_a_difference_is_claimed_with_caution_only():
    percentile = Interval(-0.10, -0.12, 0.02)
    assert cautious(percentile) == Interval(-0.10, pytest.approx(-0.22), 0.02)
    assert cautious(Interval(3.0, 2.0, 7.0)) == Interval(3.0, -1.0, 7.0)


def test_networks_together_have_the_bins_of_one():
    said, targets = drawn(50)
    weights = np.ones(50)
    one, two = reliability([said], targets, weights), reliability([said] * 2, targets, weights)
    assert len(one) == len(two) == 5
    assert [row.accuracy for row in two] == pytest.approx([row.accuracy for row in one])
    assert sum(row.rows for row in two) == 100


def test_few_rows_and_no_weight():
    said, targets = drawn(2)
    found = calibration(said, targets)
    assert not found.expected_error.bounded
    assert len(found.bins) == 1
    said, targets = drawn(40)
    weights = np.repeat([0.0, 1.0], 20)
    half = calibration(said, targets, weights)
    assert half.brier.estimate == pytest.approx(calibration(said[20:], targets[20:]).brier.estimate)
