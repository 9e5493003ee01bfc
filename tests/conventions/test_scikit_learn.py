"""scikit-learn's alpha and C beside the engine's gradient and our distance to stationarity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
import torch
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from shrinkage.conventions import convert
from shrinkage.penalties import L1, L2, ElasticNet, Penalty

RATE = 0.1
ROWS = 60


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    with threadpool_limits(1):
        yield


def network_gradient(bench: Any, alpha: float, rows: int) -> Any:
    """Of scikit-learn's objective, flat: what a step of SGD on the first rows went along."""
    kind = MLPRegressor if bench.targets else MLPClassifier
    model = kind(
        hidden_layer_sizes=bench.network.hidden,
        activation="tanh",
        solver="sgd",
        alpha=alpha,
        batch_size=rows,
        learning_rate_init=RATE,
        momentum=0.0,
    )
    inputs, target = bench.inputs[:rows], bench.target[:rows]
    target = target[:, 0] if bench.targets < 2 else target
    model.partial_fit(inputs, target, **({} if bench.targets else {"classes": [0.0, 1.0]}))
    kernels, biases = bench.arrays(bench.start)
    for held, given in zip((*model.coefs_, *model.intercepts_), (*kernels, *biases)):
        held[...] = given
    model.partial_fit(inputs, target)
    return (bench.start - bench.flat(model.coefs_, model.intercepts_)) / RATE


def test_alpha_of_a_network_has_the_gradient_of_ours(bench: Any) -> None:
    alpha, targets = 3.0, bench.targets
    lam = convert(alpha, "sklearn.mlp", "shrinkage.l2", batch_size=24, targets=targets).value
    theirs = network_gradient(bench, alpha, 24)
    # Their squared error is targets/2 times ours, and so is their penalty.
    share = targets / 2 if targets else 1
    bench.assert_same(theirs, share * bench.gradient(L2(), lam, output=True))
    with pytest.raises(AssertionError):
        bench.assert_same(theirs, share * bench.gradient(L2(), 1.01 * lam, output=True))


def test_alpha_of_a_network_is_divided_by_the_rows_of_a_batch(bench: Any) -> None:
    alpha, targets = 3.0, bench.targets
    lam = convert(alpha, "sklearn.mlp", "shrinkage.l2", batch_size=8, targets=targets).value
    theirs = network_gradient(bench, alpha, 8) - network_gradient(bench, 0.0, 8)
    kernels, biases = bench.arrays(bench.start)
    ours = bench.flat([lam * kernel for kernel in kernels], [0 * bias for bias in biases])
    bench.assert_same(theirs, ours * (targets / 2 if targets else 1))


def test_alpha_with_lbfgs_is_divided_by_all_rows(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradient that L-BFGS is given, at the same weights; batch_size has no part in it."""
    slopes: list[Any] = []

    def watched(function: Any, start: Any, *, args: Any = (), **_: Any) -> Any:
        slopes.append(function(bench.start.astype(np.float64), *args)[1].copy())
        return scipy.optimize.OptimizeResult(x=start, fun=0.0, nit=1, success=True, status=0)

    monkeypatch.setattr("scipy.optimize.minimize", watched)
    alpha, targets = 3.0, bench.targets
    kind = MLPRegressor if targets else MLPClassifier
    settings = {"activation": "tanh", "solver": "lbfgs", "alpha": alpha}
    model = kind(hidden_layer_sizes=bench.network.hidden, **settings)
    model.fit(bench.inputs, bench.target[:, 0] if targets < 2 else bench.target)
    lam = convert(alpha, "sklearn.mlp.lbfgs", "shrinkage.l2", rows=24, targets=targets).value
    share = targets / 2 if targets else 1
    bench.assert_same(slopes[0], share * bench.gradient(L2(), lam, output=True))


def table(columns: int = 6) -> tuple[Any, Any, Any]:
    """Inputs, a number and a class for each row; some inputs tell nothing."""
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((ROWS, columns))
    signal = inputs @ np.array([1.5, -1.0, 0.5, 0.0, 0.0, 0.0]) + rng.standard_normal(ROWS)
    return inputs, signal, (signal > 0).astype(int)


def gradient(inputs: Any, truth: Any, weights: Any, bias: Any, *, squared: bool) -> Any:
    """Of our mean loss of a linear model: log loss, or squared error without a ½."""
    answers = inputs @ weights + bias
    truth = np.reshape(truth, answers.shape)
    away = answers - truth if squared else 1 / (1 + np.exp(-answers)) - truth
    return inputs.T @ away * (2 if squared else 1) / away.size


def assert_stationary(penalty: Penalty, weights: Any, slope: Any, lam: float) -> None:
    """At this λ, and not at one that is one percent stronger."""
    assert penalty.stationarity(weights, slope, lam).max() <= 1e-6 * lam
    assert penalty.stationarity(weights, slope, 1.01 * lam).max() >= 1e-3 * lam


@pytest.mark.parametrize(
    ("ratio", "solver"), [(0.0, "newton-cholesky"), (1.0, "liblinear"), (0.3, "saga")]
)
def test_c_of_logistic_regression(ratio: float, solver: str) -> None:
    inputs, _, classes = table()
    model = LogisticRegression(
        C=0.4,
        l1_ratio=ratio,
        solver=solver,
        fit_intercept=False,
        tol=1e-12,
        max_iter=20_000,
        random_state=0,
    )
    weights = model.fit(inputs, classes).coef_.T
    slope = gradient(inputs, classes, weights, 0.0, squared=False)
    ours = convert((0.4, ratio), "sklearn.logistic", "shrinkage.elastic_net", rows=ROWS)
    lam, share = ours.values.values()
    assert share == pytest.approx(ratio)
    assert_stationary(ElasticNet(share), weights, slope, lam)
    if ratio:
        assert (weights == 0).any()


def test_c_of_logistic_regression_with_three_classes() -> None:
    inputs, signal, _ = table()
    classes = np.digitize(signal, np.quantile(signal, [1 / 3, 2 / 3]))
    model = LogisticRegression(C=0.4, solver="newton-cholesky", fit_intercept=False, tol=1e-12)
    weights = model.fit(inputs, classes).coef_.T
    slope = inputs.T @ (model.predict_proba(inputs) - np.eye(3)[classes]) / ROWS
    lam = convert(0.4, "sklearn.logistic", "shrinkage.l2", rows=ROWS, l1_ratio=0).value
    assert_stationary(L2(), weights, slope, lam)


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("name", ["sklearn.lasso", "sklearn.ridge", "sklearn.elasticnet"])
def test_alpha_of_a_linear_model(name: str, targets: int) -> None:
    inputs, signal, _ = table()
    numbers = np.column_stack([signal, signal**2, -signal])[:, :targets]
    about: dict[str, Any] = {"rows": ROWS, "targets": targets}
    ours = {"sklearn.lasso": "shrinkage.l1", "sklearn.ridge": "shrinkage.l2"}.get(name)
    exact = {"fit_intercept": False, "tol": 1e-12}
    value: Any = 0.3
    if name == "sklearn.lasso":
        model, penalty = Lasso(value, max_iter=50_000, **exact), L1()
    elif name == "sklearn.ridge":
        model, penalty = Ridge(value := 5.0, solver="cholesky", fit_intercept=False), L2()
    else:
        model = SklearnElasticNet(value, l1_ratio=0.4, max_iter=50_000, **exact)
        penalty, value = ElasticNet(0.4), (value, 0.4)
    weights = model.fit(inputs, numbers).coef_.reshape(targets, -1).T
    slope = gradient(inputs, numbers, weights, 0.0, squared=True)
    lam = convert(value, name, ours or "shrinkage.elastic_net", **about).value
    assert_stationary(penalty, weights, slope, lam)


def test_a_lasso_alpha_doubles_beside_a_loss_without_the_half() -> None:
    """PyTorch's MSELoss has no ½: at alpha itself its gradient is not balanced, at twice it is."""
    inputs, signal, _ = table()
    weights = Lasso(0.3, fit_intercept=False, tol=1e-12).fit(inputs, signal).coef_
    w = torch.tensor(weights, requires_grad=True)
    torch.nn.functional.mse_loss(torch.tensor(inputs) @ w, torch.tensor(signal)).backward()
    doubled = convert(0.3, "sklearn.lasso", "keras.l1").value
    assert doubled == 0.6
    slope = w.grad.numpy()
    assert L1().stationarity(weights, slope, doubled).max() < 1e-6
    assert L1().stationarity(weights, slope, 0.3).max() > 0.1
