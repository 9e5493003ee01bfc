from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import log_loss

from shrinkage.detect.gains import (
    best_of,
    by_fold,
    constant_loss,
    gains_over,
    honest_gain,
    loss_name,
    over_folds,
    validation_curves,
    validation_losses,
)
from shrinkage.intervals import corrected_interval, independent_interval
from shrinkage.penalties import L1, L2
from shrinkage.training import Training

NONE = (None, 0.0)


def test_losses_line_up_by_fold_whatever_is_missing(make_study):
    study = make_study(
        {NONE: (0.1, [0.5, 0.6, 0.7, 0.8, 0.9]), (L2(), 0.1): (0.2, [0.4, np.nan, 0.5, 0.6, 9.0])},
        diverged={(L2(), 0.1, 4)},
    )
    found = validation_losses(study)
    np.testing.assert_array_equal(found[NONE], [0.5, 0.6, 0.7, 0.8, 0.9])
    np.testing.assert_array_equal(found[L2(), 0.1], [0.4, np.nan, 0.5, 0.6, np.nan])


def test_a_fit_without_a_finite_loss_is_as_good_as_diverged(make_data, make_fit):
    data = make_data()
    fits = [make_fit(data, None, 0.0, fold, 0.1, [0.5, 0.4]) for fold in range(3)]
    fits[1] = make_fit(data, None, 0.0, 1, 0.1, [0.5, np.nan])
    fits[2] = make_fit(data, None, 0.0, 2, np.nan, [0.5, 0.4])
    losses = by_fold(fits, data, lambda fit: fit.final_validation_loss)
    np.testing.assert_array_equal(np.isfinite(losses), [True, False, False, False, False])
    np.testing.assert_array_equal(
        np.isfinite(validation_curves(fits, data)[1][0]), [True] + [False] * 4
    )


def test_losses_that_differ_by_rounding_gain_nothing():
    baseline = np.array([0.5, 2.0])
    found = gains_over(baseline - np.array([[1e-8, 1e-7], [1e-3, -1e-3]]), baseline)
    np.testing.assert_allclose(found, [[0.0, 0.0], [1e-3, -1e-3]], rtol=1e-9)


def test_losses_are_named_by_their_weights(make_data):
    balanced = Training("binary_cross_entropy", class_weight="balanced")
    assert loss_name(make_data(), Training("binary_cross_entropy")) == "log loss"
    assert loss_name(make_data(), balanced) == "class-weighted log loss"
    assert (
        loss_name(make_data("regression"), Training("mean_squared_error")) == "mean squared error"
    )


def test_seeds_of_a_fold_are_averaged(make_data, make_fit):
    data = make_data()
    fits = [make_fit(data, None, 0.0, 1, 0.1, v, seed=seed) for seed, v in enumerate((0.4, 0.8))]
    losses = by_fold(fits, data, lambda fit: fit.final_validation_loss)
    np.testing.assert_allclose(losses, [np.nan, 0.6, np.nan, np.nan, np.nan])


def test_a_penalty_with_lambda_0_is_no_penalty(make_study):
    study = make_study({(L1(), 0.0): (0.1, [0.5] * 5)})
    assert list(validation_losses(study)) == [NONE]


def test_curves_keep_the_epochs_that_all_folds_share(make_data, make_fit):
    data = make_data()
    fits = [
        make_fit(data, None, 0.0, 0, 0.1, [4.0, 3.0, 2.0, 1.0]),
        make_fit(data, None, 0.0, 1, 0.1, [30.0, 10.0]),
    ]
    epochs, curves = validation_curves(fits, data)
    np.testing.assert_array_equal(epochs, [50, 100])
    np.testing.assert_array_equal(curves[:, :2], [[3.0, 30.0], [1.0, 10.0]])
    assert np.isnan(curves[:, 2:]).all()


def test_over_folds_uses_the_rows_of_the_folds(make_data):
    values = np.array([0.1, 0.2, np.nan, 0.3, 0.25])
    found = over_folds(values, make_data())
    assert found == corrected_interval(values[[0, 1, 3, 4]], 80, 20)


def test_parts_that_share_no_row_get_the_usual_interval(make_data):
    values = np.array([0.1, 0.2, np.nan, 0.3, 0.25])
    found = over_folds(values, replace(make_data(), independent=True))
    assert found == independent_interval(values[[0, 1, 3, 4]])


def test_the_best_is_sought_among_those_seen_on_most_folds():
    nan = np.nan
    assert best_of(np.array([[0.1, 0.2, 0.3], [0.9, nan, nan], [0.2, 0.2, 0.3]])) == 2
    assert best_of(np.full((2, 3), nan)) is None
    assert best_of(np.empty((0, 3))) is None


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_trying_many_candidates_does_not_flatter_the_best(make_data, shared):
    data = make_data()
    rng = np.random.default_rng(0)
    naive, honest, calls = [], [], []
    for _ in range(150):
        # Nothing is better than anything; neighbours on a path share most of their noise.
        noise = rng.normal(size=(40, 5)), rng.normal(size=5)
        gains = np.sqrt(1 - shared) * noise[0] + np.sqrt(shared) * noise[1]
        naive.append(gains.mean(axis=1).max())
        interval = honest_gain(gains, data)
        honest.append(interval.estimate)
        calls.append(interval.low > 0)
    assert np.mean(naive) > 0.25
    assert abs(np.mean(honest)) < 0.12
    assert np.mean(calls) < (0.03 if shared else 0.08)


def test_a_true_gain_is_found(make_data):
    rng = np.random.default_rng(1)
    gains = rng.normal(0.0, 0.02, size=(10, 5))
    gains[7] += 0.2
    found = honest_gain(gains, make_data())
    assert found.low > 0
    assert found.estimate == pytest.approx(gains[7].mean())


def test_the_other_repeats_have_no_say_in_the_choice(make_data):
    # Their validation rows overlap the fold's own. Candidate 0 is best in repeat 1, 1 in repeat 0.
    data = make_data(folds=2, repeats=2)
    gains = np.array([[1.0, 1.0, 9.0, 9.0], [2.0, 2.0, 0.0, 0.0]])
    assert honest_gain(gains, data).estimate == pytest.approx((2 + 2 + 9 + 9) / 4)


def test_a_candidate_that_a_fold_did_not_see_is_not_chosen_there(make_data):
    nan = np.nan
    gains = np.array([[5.0, 5.0, 5.0, 5.0, nan], [1.0, 1.0, 1.0, nan, 1.0]])
    # Each is the better known one for the fold that the other has not seen.
    assert honest_gain(gains, make_data()).estimate == pytest.approx((4 * 5 + 1) / 5)


def test_one_fold_cannot_choose_and_measure(make_data):
    gains = np.full((3, 5), np.nan)
    gains[:, 2] = [0.1, 0.4, 0.2]
    found = honest_gain(gains, make_data())
    assert found.estimate == pytest.approx(0.4)
    assert not found.bounded


def test_the_constant_is_scikit_learns_prior(make_data):
    weights = np.linspace(0.2, 1.8, 100, dtype=np.float32)
    data = make_data("multiclass", weights=weights)
    target = data.full.targets[:, 0]
    peer = DummyClassifier(strategy="prior").fit(target, target, sample_weight=weights)
    expected = log_loss(target, peer.predict_proba(target), sample_weight=weights)
    assert constant_loss(data, Training("cross_entropy")) == pytest.approx(expected, rel=1e-6)


def test_class_weights_count_in_the_constant(make_data):
    balanced = Training("cross_entropy", class_weight="balanced")
    assert constant_loss(make_data("multiclass"), balanced) == pytest.approx(np.log(3))


def test_the_constant_of_a_standardized_target_has_loss_1(make_data):
    data = make_data("regression")
    assert constant_loss(data, Training("mean_squared_error")) == pytest.approx(1.0, abs=1e-5)
