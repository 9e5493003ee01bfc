"""scikit-learn's network answers what the network answers, and goes on like a fitted one."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor

from shrinkage.errors import ShrinkageError
from shrinkage.exports import agreement_of, to_sklearn
from shrinkage.penalties import L1, L2, ElasticNet

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "identity": "identity"}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (9, 5)])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes(trained, rows, activation, hidden, task):
    predictor = trained(task, activation=activation, hidden=hidden)
    given = rows(predictor)
    network = to_sklearn(predictor)
    assert isinstance(network, MLPClassifier)
    assert network.get_params()["activation"] == ACTIVATIONS[activation]
    np.testing.assert_allclose(
        network.predict_proba(given), predictor.probabilities(given), atol=1e-6
    )
    np.testing.assert_array_equal(network.predict(given), predictor.predictions(given))
    np.testing.assert_array_equal(network.classes_, predictor.classes)
    assert network.score(given, predictor.predictions(given)) == 1.0


@pytest.mark.parametrize("task", ["regression", "two targets"])
def test_numbers(trained, rows, task):
    predictor = trained(task, target_center=1e9, target_scale=1.0)
    given = rows(predictor)
    network = to_sklearn(predictor)
    assert isinstance(network, MLPRegressor)
    expected = predictor.predictions(given)
    expected = expected[:, 0] if task == "regression" else expected
    np.testing.assert_allclose(network.predict(given), expected, rtol=0, atol=1e-5)
    assert network.score(given, expected) > 1 - 1e-9


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes_that_are_not_sorted(trained, rows, task):
    predictor = trained(task)
    predictor = replace(predictor, classes=np.roll(predictor.classes, 1))
    given = rows(predictor)
    network = to_sklearn(predictor)
    np.testing.assert_array_equal(network.predict(given), predictor.predictions(given))
    places = [list(predictor.classes).index(name) for name in network.classes_]
    np.testing.assert_allclose(
        network.predict_proba(given), predictor.probabilities(given)[:, places], atol=1e-6
    )
    assert agreement_of(predictor, network, X=given).holds


def test_it_has_what_a_fitted_one_has(trained, rows):
    for task in ("binary", "multiclass", "regression", "two targets"):
        predictor = trained(task)
        given = rows(predictor, 30)
        network = to_sklearn(predictor)
        answers = predictor.predictions(given)
        if predictor.classes is not None:
            answers = np.resize(predictor.classes, len(given))
        fitted = clone(network).set_params(max_iter=1, n_iter_no_change=5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one step does not converge
            fitted.fit(given, answers[:, 0] if task == "regression" else answers)
        assert set(vars(fitted)) - set(vars(network)) == {"_optimizer"}
        for name in ("coefs_", "intercepts_", "_best_coefs", "_best_intercepts"):
            for found, value in zip(getattr(network, name), getattr(fitted, name), strict=True):
                assert found.shape == value.shape
        for name in ("n_features_in_", "n_layers_", "n_outputs_", "out_activation_"):
            assert getattr(network, name) == getattr(fitted, name)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "two targets"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_it_can_be_trained_on(trained, rows, task, optimizer):
    predictor = trained(
        task,
        center=(0, 0, 0, 0),
        scale=(1, 1, 1, 1),
        target_center=0.0,
        target_scale=1.0,
        optimizer=optimizer,
        learning_rate=1e-3,
    )
    given = rows(predictor)
    wanted = predictor.predictions(given[::-1])
    wanted = wanted[:, 0] if task == "regression" else wanted
    network = to_sklearn(predictor)
    before = network.score(given, wanted)
    for _ in range(30):
        network.partial_fit(given, wanted)
    assert network.score(given, wanted) > before
    assert network.t_ == 200 * 100 + 30 * 300


def test_names_of_columns(trained, rows):
    predictor = trained()
    frame = pd.DataFrame(rows(predictor, 5), columns=["a", "b", "c", "d"])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        to_sklearn(predictor).predict(frame.to_numpy())
        assert not said
    estimator = SimpleNamespace(predictor_=predictor, feature_names_in_=frame.columns.to_numpy())
    network = to_sklearn(estimator)
    network.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        network.predict(frame.rename(columns={"a": "z"}))


@pytest.mark.parametrize(
    ("task", "penalty", "settings", "alpha", "note"),
    [
        ("binary", L2(), {}, 0.01 * 32, "would act on the folded kernels"),
        ("binary", L2(), {"batch_size": 500}, 0.01 * 100, "would act on the folded kernels"),
        ("regression", L2(), {}, 0.01 * 32 / 2, "would act"),
        ("two targets", L2(), {}, 0.01 * 32, "would act"),
        ("binary", L1(), {}, 0.0, "no L1 in scikit-learn"),
        ("binary", ElasticNet(0.25), {}, 0.0075 * 32, "no elastic net in scikit-learn"),
        ("binary", L2(decoupled=True), {}, 0.0, "decay was decoupled"),
        ("binary", L2(), {"optimizer": "adamw"}, 0.0, "decay was decoupled"),
        ("binary", None, {}, 0.0, ""),
    ],
)
def test_alpha(trained, task, penalty, settings, alpha, note):
    predictor = trained(task, penalty, 0.01 if penalty else 0.0, **settings)
    network = to_sklearn(predictor)
    assert network.alpha == pytest.approx(alpha)
    assert note in str(agreement_of(predictor, network))


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "selu", "gelu", "silu"])
def test_an_activation_that_it_lacks(trained, activation):
    with pytest.raises(ShrinkageError, match=f"have no {activation}; they have relu, tanh"):
        to_sklearn(trained(activation=activation))
    to_sklearn(trained(activation=activation, hidden=()))
