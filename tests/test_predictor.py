"""A trained network with its preprocessing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.data.numeric import Arrays, from_arrays
from shrinkage.engine.pool import run_trial
from shrinkage.network import Network
from shrinkage.penalties import L2
from shrinkage.predictor import Predictor
from shrinkage.study import Trial
from shrinkage.training import Training

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 2.0, (60, 3))


def predictor(targets: np.ndarray, labels: list[str] | None) -> Predictor:
    data = from_arrays(Arrays(X, targets, np.ones(60)), classes=labels)
    network = Network(3, (5,), data.n_outputs, activation="tanh")
    training = Training(data.loss, epochs=20, learning_rate=0.02)
    fit = run_trial(Trial(network, training, L2(), 0.01, None, 0), data.full)
    return Predictor.of(fit, data.full, None if labels is None else np.array(labels))


def by_hand(model: Predictor, rows: np.ndarray) -> np.ndarray:
    hidden = np.tanh((rows - model.center) / model.scale @ model.kernels[0] + model.biases[0])
    return np.asarray(hidden @ model.kernels[1] + model.biases[1])


def test_numbers_come_in_the_targets_units() -> None:
    targets = np.column_stack([100 + X[:, 0], 5 * X[:, 1]])
    model = predictor(targets, None)
    expected = by_hand(model, X) * targets.std(axis=0) + targets.mean(axis=0)
    np.testing.assert_allclose(model.predictions(X), expected, rtol=1e-4)


def test_two_classes() -> None:
    model = predictor((X[:, :1] > 3).astype(float), ["low", "high"])
    odds = by_hand(model, X)[:, 0]
    shares = model.probabilities(X)
    np.testing.assert_allclose(shares[:, 1], 1 / (1 + np.exp(-odds)), atol=1e-5)
    np.testing.assert_array_equal(model.predictions(X), np.where(odds > 0, "high", "low"))
    assert model.outputs(X).shape == (60, 1)


def test_three_classes() -> None:
    model = predictor(np.digitize(X[:, :1], [2.0, 4.0]).astype(float), ["a", "b", "c"])
    scores = np.exp(by_hand(model, X))
    np.testing.assert_allclose(
        model.probabilities(X), scores / scores.sum(axis=1, keepdims=True), atol=1e-5
    )
    assert set(model.predictions(X)) <= {"a", "b", "c"}


def test_facts_of_the_training_are_kept() -> None:
    model = predictor((X[:, :1] > 3).astype(float), ["low", "high"])
    assert (model.penalty, model.lam, model.rows, model.columns) == (
        L2(),
        0.01,
        60,
        ("x0", "x1", "x2"),
    )
    assert [kernel.shape for kernel in model.kernels] == [(3, 5), (5, 1)]
    assert [bias.shape for bias in model.biases] == [(5,), (1,)]


def test_an_input_that_was_constant_has_no_effect() -> None:
    model = predictor(X[:, :1], None)
    constant = replace(model, scale=np.array([np.inf, *model.scale[1:]]))
    changed = X + np.array([1000.0, 0.0, 0.0])
    np.testing.assert_array_equal(constant.predictions(X), constant.predictions(changed))
    assert not np.allclose(model.predictions(X), model.predictions(changed))


@pytest.mark.parametrize("rows", [1, 7])
def test_a_row_is_answered_alike_alone_and_in_company(rows: int) -> None:
    model = predictor(X[:, :1], None)
    np.testing.assert_allclose(model.outputs(X[:rows]), model.outputs(X)[:rows], rtol=1e-6)
