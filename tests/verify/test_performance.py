from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.utils.class_weight import compute_class_weight

from shrinkage.engine.pool import predict
from shrinkage.intervals import Interval
from shrinkage.network import layout
from shrinkage.verify.performance import RESAMPLES, Effect, effects


def by_metric(found):
    return {effect.metric: effect for effect in found[0]}


def probabilities(fit, data):
    found = predict(fit.trial.network, fit.parameters, data.test.inputs, data.loss).astype(float)
    found = np.c_[1 - found, found] if data.task == "binary" else found
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classification_agrees_with_scikit_learn(make_data, make_fit, with_weights, task):
    data = make_data(task)
    weights = np.random.default_rng(0).uniform(0.5, 2, size=len(data.test.targets))
    test = with_weights(data.test, weights)
    sides = [[make_fit(data, seed=s) for s in (0, 1)], [make_fit(data, seed=s) for s in (2, 3, 4)]]
    found = by_metric(effects(*sides, data, test))
    truth = test.targets[:, 0].astype(int)

    def mean(measure, fits):
        return np.mean([measure(probabilities(fit, data)) for fit in fits])

    oracles = {
        "log_loss": lambda p: sk.log_loss(truth, p, sample_weight=test.weights),
        "accuracy": lambda p: sk.accuracy_score(truth, p.argmax(1), sample_weight=test.weights),
        "balanced_accuracy": lambda p: sk.balanced_accuracy_score(
            truth, p.argmax(1), sample_weight=test.weights
        ),
        "roc_auc": lambda p: sk.roc_auc_score(
            truth,
            p[:, 1] if task == "binary" else p,
            multi_class="ovr",
            sample_weight=test.weights,
        ),
    }
    assert list(found) == list(oracles)
    for name, oracle in oracles.items():
        before, after = (mean(oracle, fits) for fits in sides)
        assert found[name].before.estimate == pytest.approx(before, rel=1e-5)
        assert found[name].after.estimate == pytest.approx(after, rel=1e-5)
        assert found[name].difference.estimate == pytest.approx(after - before, abs=1e-5)
        assert found[name].before.low < found[name].before.estimate < found[name].before.high
        assert found[name].greater_is_better == (name != "log_loss")


def test_regression_speaks_original_units(make_data, make_fit):
    data = make_data("regression")
    fit, other = make_fit(data), make_fit(data, seed=1)
    found = by_metric(effects([fit], [other], data, data.test))
    part = data.full
    standardized = predict(fit.trial.network, fit.parameters, data.test.inputs, data.loss)
    predicted = standardized * part.target_scale + part.target_center
    error = sk.root_mean_squared_error(data.test.targets, predicted)
    assert found["rmse"].before.estimate == pytest.approx(error, rel=1e-5)
    assert found["rmse"].unit == "y"
    assert found["r2"].before.estimate == pytest.approx(
        sk.r2_score(data.test.targets, predicted), rel=1e-5
    )
    squared = (error / part.target_scale[0]) ** 2
    assert found["mean_squared_error"].before.estimate == pytest.approx(squared, rel=1e-5)
    assert next(iter(found)) == "mean_squared_error"


def test_the_same_fits_differ_by_nothing(make_data, make_fit):
    data = make_data()
    fits = [make_fit(data, seed=seed) for seed in (0, 1)]
    found, resamples, notes = effects(fits, fits, data, data.test)
    assert all(effect.difference.low == effect.difference.high == 0 for effect in found)
    assert {effect.outcome for effect in found} == {"no clear difference"}
    assert resamples == RESAMPLES
    assert notes == ()


def test_a_better_fit_is_called_better_whatever_the_direction_of_the_metric(make_data, make_fit):
    data = make_data(rows=600)
    bad = make_fit(data)
    good = replace(bad, parameters=np.zeros_like(bad.parameters))
    blocks = layout(bad.trial.network).blocks
    blocks[0].of(good.parameters)[0, 0] = 1.0  # x0 decides, and class "mid" lies above
    blocks[1].of(good.parameters)[0, 0] = 3.0
    found = by_metric(effects([bad], [good], data, data.test))
    for effect in found.values():
        assert effect.outcome == "better"
        assert effect.improvement.low > 0
    reverse = by_metric(effects([good], [bad], data, data.test))
    assert {effect.outcome for effect in reverse.values()} == {"worse"}


def test_a_confident_mistake_keeps_its_loss(make_data, make_fit):
    # In float32 the probability of class 1 rounds to 1 from a logit of 17 on.
    data = make_data()
    fit = make_fit(data)
    certain = np.zeros_like(fit.parameters)
    certain[-1] = 40.0  # the output's bias
    found = by_metric(effects([fit], [replace(fit, parameters=certain)], data, data.test))
    share_of_class_0 = np.mean(data.test.targets == 0)
    assert found["log_loss"].after.estimate == pytest.approx(40 * share_of_class_0, rel=1e-5)


def test_classes_without_test_rows_are_said_to_be_absent(make_data, make_fit):
    data = make_data("multiclass")
    keep = data.test.targets[:, 0] != 2
    test = replace(
        data.test,
        inputs=data.test.inputs[keep],
        targets=data.test.targets[keep],
        weights=data.test.weights[keep],
    )
    fit = make_fit(data)
    found, _, notes = effects([fit], [fit], data, test)
    assert len(found) == 4
    assert len(notes) == 1
    assert notes[0].startswith("1 of 3 classes has no row in the test set; balanced accuracy and")
    p = predict(fit.trial.network, fit.parameters, test.inputs, data.loss)
    truth = test.targets[:, 0]
    expected = np.mean([sk.roc_auc_score(truth == label, p[:, label]) for label in (0, 1)])
    assert found[3].before.estimate == pytest.approx(expected)


def test_one_class_has_no_auc(make_data, make_fit):
    data = make_data()
    keep = data.test.targets[:, 0] == 1
    test = replace(
        data.test,
        inputs=data.test.inputs[keep],
        targets=data.test.targets[keep],
        weights=data.test.weights[keep],
    )
    fit = make_fit(data)
    found, _, notes = effects([fit], [fit], data, test)
    assert [effect.metric for effect in found] == ["log_loss", "accuracy", "balanced_accuracy"]
    assert notes[0].startswith("AUC does not exist")


def test_a_constant_target_has_no_r_squared(make_data, make_fit):
    data = make_data("regression")
    test = replace(data.test, targets=np.full_like(data.test.targets, 3.0))
    fit = make_fit(data)
    found, _, notes = effects([fit], [fit], data, test)
    assert [effect.metric for effect in found] == ["mean_squared_error", "rmse"]
    assert notes == ("R² does not exist: a target is constant on the test set.",)


def test_a_class_without_weight_drops_only_what_it_spoils(make_data, make_fit, with_weights):
    data = make_data()
    test = with_weights(data.test, (data.test.targets[:, 0] == 1).astype(float))
    fit = make_fit(data)
    found, _, _ = effects([fit], [fit], data, test)
    assert [effect.metric for effect in found] == ["log_loss", "accuracy"]


@pytest.mark.parametrize(
    ("difference", "outcome"),
    [
        ((0.0, 0.0, 0.0), "no clear difference"),
        ((0.0, 0.1, 0.2), "no clear difference"),  # a skewed bootstrap may miss its estimate
        ((0.1, 0.05, 0.2), "better"),
        ((-0.1, -0.2, -0.05), "worse"),
        ((0.1, 0.0, 0.2), "no clear difference"),
        ((0.1, -np.inf, np.inf), "too few test rows to tell"),
    ],
)
def test_the_outcome_is_what_the_interval_allows(difference, outcome):
    one = Interval(0.5, 0.4, 0.6)
    assert Effect("r2", "R²", "", one, one, Interval(*difference), True).outcome == outcome


def test_seeds_in_another_order_differ_by_nothing(make_data, make_fit):
    data = make_data(rows=300)
    fits = [make_fit(data, seed=seed) for seed in (0, 1, 2)]
    found, _, _ = effects(fits, [fits[2], fits[0], fits[1]], data, data.test)
    for effect in found:
        assert (effect.difference.estimate, effect.difference.low, effect.difference.high) == (
            0.0,
            0.0,
            0.0,
        )


def test_a_class_with_one_row_does_not_hide_the_spread(make_data, make_fit):
    # Stratified by class alone, that row would be in every resample with its whole loss.
    data = make_data()
    classes = data.test.targets[:, 0]
    rows = np.r_[np.flatnonzero(classes == 1)[:11], np.flatnonzero(classes == 0)[:1]]
    test = replace(
        data.test,
        inputs=data.test.inputs[rows],
        targets=data.test.targets[rows],
        weights=data.test.weights[rows],
    )
    fit = make_fit(data)
    certain = np.zeros_like(fit.parameters)
    certain[-1] = 5.0  # the output's bias: right on all rows but the lonely one
    found = by_metric(effects([fit], [replace(fit, parameters=certain)], data, test))
    interval = found["log_loss"].after
    assert interval.estimate == pytest.approx(5 / rows.size + np.log1p(np.exp(-5)))
    assert interval.low < 0.1
    assert interval.high > 1.2
    assert found["roc_auc"].before.bounded


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_loss_weighs_the_classes_as_training_did(make_data, make_fit, with_weights, task):
    data = make_data(task)
    weights = np.random.default_rng(0).uniform(0.5, 2, size=len(data.test.targets))
    test = with_weights(data.test, weights)
    plain = make_fit(data)
    training = replace(plain.trial.training, class_weight="balanced")
    balanced = replace(plain, trial=replace(plain.trial, training=training))
    found = by_metric(effects([balanced], [balanced], data, test))
    as_is = by_metric(effects([plain], [plain], data, test))

    trained, truth = (t.targets[:, 0].astype(int) for t in (data.full, test))
    by_class = compute_class_weight("balanced", classes=np.unique(trained), y=trained)
    expected = sk.log_loss(
        truth, probabilities(plain, data), sample_weight=test.weights * by_class[truth]
    )
    assert found["log_loss"].label == "class-weighted log loss"
    assert found["log_loss"].before.estimate == pytest.approx(expected, rel=1e-5)
    assert as_is["log_loss"].label == "log loss"
    assert as_is["log_loss"].before.estimate != pytest.approx(expected, rel=1e-3)
    for metric in ("accuracy", "balanced_accuracy", "roc_auc"):
        assert found[metric] == as_is[metric]
