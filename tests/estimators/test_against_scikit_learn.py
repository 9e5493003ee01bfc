"""Beside scikit-learn: linear models at converted λ, and its networks batch for batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from shrinkage import ShrinkageClassifier, ShrinkageRegressor

Rows = tuple[NDArray[np.float64], NDArray[Any]]
POLISHED: dict[str, Any] = {
    "hidden_layer_sizes": (),
    "standardize": False,
    "polish": True,
    "random_state": 0,
}
EXACT: dict[str, Any] = {"tol": 1e-9, "max_iter": 50_000}


@pytest.fixture(scope="module", params=["two classes", "three classes"])
def classes(request: pytest.FixtureRequest, cancer: Rows, wine: Rows) -> Rows:
    X, y = cancer if request.param == "two classes" else wine
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def numbers(diabetes: Rows) -> Rows:
    X, y = diabetes
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


def assert_agree(ours: Any, theirs: Any) -> None:
    np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-6)
    intercept = np.asarray(theirs.intercept_)
    # Of three classes only differences of intercepts matter, where no penalty acts on them.
    center = intercept.mean() if intercept.size > 1 else 0.0
    own = np.asarray(ours.intercept_)
    own = own - (own.mean() if intercept.size > 1 else 0.0)
    np.testing.assert_allclose(own, intercept - center, rtol=1e-3, atol=1e-5)
    assert ours.stationarity_ < 1e-4


@pytest.mark.parametrize("lam", [0.01, 0.1])
@pytest.mark.parametrize(("penalty", "ratio"), [("l2", 0.0), ("l1", 1.0), ("elasticnet", 0.4)])
def test_logistic_regression(classes: Rows, penalty: str, ratio: float, lam: float) -> None:
    """LogisticRegression(C) minimizes Σ loss + penalty / C: λ = 1 / (n · C)."""
    X, y = classes
    ours = ShrinkageClassifier(lam=lam, penalty=penalty, l1_ratio=ratio, **POLISHED).fit(X, y)
    solver = "lbfgs" if ratio == 0 else "saga"
    theirs = LogisticRegression(
        C=1 / (len(y) * lam), l1_ratio=ratio, solver=solver, random_state=0, **EXACT
    )
    assert_agree(ours, theirs.fit(X, y))
    if penalty == "l1":
        assert (ours.coef_ == 0).any()


@pytest.mark.parametrize("lam", [0.02, 0.2])
def test_ridge(numbers: Rows, lam: float) -> None:
    """Ridge(alpha) minimizes Σ r² + alpha Σ w²: λ = 2 · alpha / n."""
    X, y = numbers
    ours = ShrinkageRegressor(lam=lam, penalty="l2", **POLISHED).fit(X, y)
    assert_agree(ours, Ridge(alpha=lam * len(y) / 2).fit(X, y))


@pytest.mark.parametrize("lam", [0.02, 0.2])
@pytest.mark.parametrize(("penalty", "ratio"), [("l1", 1.0), ("elasticnet", 0.4)])
def test_lasso_and_elastic_net(numbers: Rows, penalty: str, ratio: float, lam: float) -> None:
    """Both minimize the mean of ½ r², which has half our gradient: λ = 2 · alpha."""
    X, y = numbers
    ours = ShrinkageRegressor(lam=lam, penalty=penalty, l1_ratio=ratio, **POLISHED).fit(X, y)
    kind = Lasso(lam / 2, **EXACT) if ratio == 1 else ElasticNet(lam / 2, l1_ratio=ratio, **EXACT)
    assert_agree(ours, kind.fit(X, y))
    if penalty == "l1":
        assert (ours.coef_ == 0).any()


def test_own_units_are_those_of_the_rows(diabetes: Rows) -> None:
    """Standardized inside, coefficients outside: those of Ridge on scaled rows, scaled back."""
    X, y = diabetes
    ours = ShrinkageRegressor(lam=0.1, **POLISHED | {"standardize": True}).fit(X, y)
    scaler = StandardScaler().fit(X)
    ridge = Ridge(alpha=0.1 * len(y) / 2).fit(scaler.transform(X), y)
    np.testing.assert_allclose(ours.coef_, ridge.coef_ / scaler.scale_, rtol=1e-3)
    np.testing.assert_allclose(
        ours.intercept_, ridge.intercept_ - scaler.mean_ @ ours.coef_, rtol=1e-3
    )


@pytest.mark.parametrize("penalty", ["l1", "l2"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu"])
def test_a_polished_network_has_a_certificate(classes: Rows, activation: str, penalty: str) -> None:
    network = ShrinkageClassifier(
        lam=0.01,
        penalty=penalty,
        activation=activation,
        **POLISHED | {"hidden_layer_sizes": (6,), "penalize_output": True},
    ).fit(*classes)
    assert network.stationarity_ is not None
    assert network.stationarity_ < 1e-2
    plain = ShrinkageClassifier(
        lam=0.01, penalty=penalty, activation=activation, hidden_layer_sizes=(6,), random_state=0
    )
    assert plain.fit(*classes).stationarity_ is None


class Given:
    """Sets a peer's first parameters to those of a network of ours."""

    def __init__(self, model: Any) -> None:
        self.kernels = [kernel.astype(np.float64) for kernel in model.coefs_]
        self.biases = [bias.astype(np.float64) for bias in model.intercepts_]

    def to(self, peer: Any) -> Any:
        initialize = peer._initialize

        def and_replace(*arguments: Any) -> None:
            initialize(*arguments)
            peer.coefs_ = [kernel.copy() for kernel in self.kernels]
            peer.intercepts_ = [bias.copy() for bias in self.biases]

        peer._initialize = and_replace
        return peer


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_networks_with_the_same_weights_and_batches(
    classes: Rows, solver: str, activation: str
) -> None:
    """MLPClassifier(alpha) adds alpha / (2 · batch) Σ w², output layer included: λ = alpha / batch.

    Its loss curve has the penalty inside, so that of the data is what is left without it.
    """
    X, y = classes
    X, y = X[:160], y[:160]
    lam, batch, epochs = 0.05, 32, 30
    common = {
        "hidden_layer_sizes": (12, 6),
        "activation": activation,
        "solver": solver,
        "learning_rate": "constant",
        "learning_rate_init": 0.005,
        "batch_size": batch,
        "shuffle": False,
        "epsilon": 1e-8,
    }
    ours = ShrinkageClassifier(
        lam=lam, penalize_output=True, standardize=False, random_state=3, **common
    )
    start = Given(ours.set_params(max_iter=1, learning_rate_init=1e-30).fit(X, y))
    ours.set_params(max_iter=epochs, learning_rate_init=0.005).fit(X, y)
    penalties: list[float] = []
    peer = MLPClassifier(
        alpha=lam * batch, max_iter=epochs, tol=0, n_iter_no_change=epochs, **common
    )
    watch(start.to(peer), penalties).fit(X, y)
    theirs = np.array(peer.loss_curve_) - np.array(penalties).reshape(epochs, -1).mean(axis=1)
    np.testing.assert_allclose(ours.loss_curve_, theirs, rtol=1e-3)
    for mine, other in zip(ours.coefs_, peer.coefs_, strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-3)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_networks_for_numbers(numbers: Rows) -> None:
    """MLPRegressor's loss is ½ r²: half of ours, so λ = 2 · alpha / batch at half the rate."""
    X, y = numbers
    X, y = X[:192], y[:192]
    lam, batch, epochs, rate = 0.05, 32, 20, 0.01
    common: dict[str, Any] = {
        "hidden_layer_sizes": (10,),
        "activation": "tanh",
        "solver": "sgd",
        "learning_rate": "constant",
        "batch_size": batch,
        "shuffle": False,
    }
    ours = ShrinkageRegressor(
        lam=lam, penalize_output=True, standardize=False, random_state=3, **common
    )
    start = Given(ours.set_params(max_iter=1, learning_rate_init=1e-30).fit(X, y))
    ours.set_params(max_iter=epochs, learning_rate_init=rate).fit(X, y)
    peer = MLPRegressor(
        alpha=lam * batch / 2,
        max_iter=epochs,
        tol=0,
        n_iter_no_change=epochs,
        learning_rate_init=2 * rate,
        **common,
    )
    start.to(peer).fit(X, y)
    for mine, other in zip(ours.coefs_, peer.coefs_, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)
    np.testing.assert_allclose(ours.predict(X), peer.predict(X), atol=1e-3)


def watch(peer: Any, penalties: list[float]) -> Any:
    """Notes the penalty that each step of a peer adds to its loss."""
    backprop = peer._backprop

    def noted(X: Any, *arguments: Any) -> Any:
        squares = sum(float(np.square(kernel).sum()) for kernel in peer.coefs_)
        penalties.append(0.5 * peer.alpha * squares / X.shape[0])
        return backprop(X, *arguments)

    peer._backprop = noted
    return peer
