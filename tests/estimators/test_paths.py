"""The λ path as a function, and where it begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

from shrinkage import GroupLasso, ShrinkageClassifier, ShrinkageRegressor, shrinkage_path
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.estimators import lambda_grid, lambda_max

Rows = tuple[NDArray[np.float64], NDArray[Any]]
LINEAR: dict[str, Any] = {"hidden_layer_sizes": (), "random_state": 0}


def test_a_path_has_networks_from_strong_to_weak(wine: Rows, small: dict[str, Any]) -> None:
    lambdas, coefs, predictors = shrinkage_path(*wine, lambdas=[1e-4, 0.1, 0.01], **small)
    assert lambdas.tolist() == [0.1, 0.01, 1e-4]
    assert [layer.shape for layer in coefs] == [(13, 8, 3), (8, 3, 3)]
    zeros = (coefs[0] == 0).mean(axis=(0, 1))
    assert zeros[0] > zeros[1] > zeros[2]
    alone = ShrinkageClassifier(lam=0.01, penalty="l1", **small).fit(*wine)
    np.testing.assert_array_equal(coefs[0][..., 1], alone.coefs_[0])
    np.testing.assert_array_equal(
        predictors[1].probabilities(wine[0]), alone.predict_proba(wine[0])
    )


def test_a_seed_is_drawn_once(wine: Rows, small: dict[str, Any]) -> None:
    drawn = small | {"random_state": np.random.RandomState(0)}
    _, (first, _), _ = shrinkage_path(*wine, lambdas=[1e-9, 1e-12], **drawn)
    np.testing.assert_allclose(first[..., 0], first[..., 1], atol=1e-3)


def test_the_task_is_found(wine: Rows, diabetes: Rows, small: dict[str, Any]) -> None:
    assert shrinkage_path(*wine, lambdas=[0.1], **small).predictors[0].classes is not None
    assert shrinkage_path(*diabetes, lambdas=[0.1], **small).predictors[0].classes is None
    grades = shrinkage_path(*wine, lambdas=[0.1], task="regression", **small)
    assert grades.predictors[0].predictions(wine[0]).shape == (178, 1)


@pytest.mark.parametrize("penalty", ["l1", "elasticnet", GroupLasso("inputs")])
def test_the_largest_lambda_of_a_linear_model_is_exact(wine: Rows, penalty: Any) -> None:
    largest = lambda_max(*wine, penalty=penalty, **LINEAR)
    fit = {"penalty": penalty, "lambdas": [largest * 1.02, largest * 0.9]}
    nothing, something = shrinkage_path(*wine, **fit, **LINEAR).coefs[0].transpose(2, 0, 1)
    assert np.abs(nothing).max() < 1e-9
    assert np.abs(something).max() > 1e-3


def test_the_largest_lambda_is_that_of_the_lasso(diabetes: Rows) -> None:
    X = StandardScaler().fit_transform(diabetes[0])
    y = (diabetes[1] - diabetes[1].mean()) / diabetes[1].std()
    largest = lambda_max(X, y, standardize=False, **LINEAR)
    assert largest == pytest.approx(2 * np.abs(X.T @ y).max() / len(y), rel=1e-5)
    assert not Lasso(alpha=largest / 2 * 1.0001).fit(X, y).coef_.any()
    assert Lasso(alpha=largest / 2 * 0.99, tol=1e-8).fit(X, y).coef_.any()


def test_with_hidden_layers_it_is_found_by_trying(diabetes: Rows, small: dict[str, Any]) -> None:
    settings = small | {"max_iter": 100}
    largest = lambda_max(*diabetes, **settings)
    assert np.log10(largest) == round(np.log10(largest))
    variance = 1.0
    at, below = (
        ShrinkageRegressor(lam=lam, penalty="l1", **settings).fit(*diabetes).loss_
        for lam in (largest, largest / 10)
    )
    free = ShrinkageRegressor(penalty=None, **settings).fit(*diabetes).loss_
    assert variance - at <= 0.02 * (variance - free) < variance - below


def test_a_grid_falls_at_equal_ratios(wine: Rows) -> None:
    grid = lambda_grid(*wine, n_lambdas=5, eps=1e-2, **LINEAR)
    assert grid[0] == lambda_max(*wine, **LINEAR)
    np.testing.assert_allclose(grid[1:] / grid[:-1], 10**-0.5)
    assert lambda_grid(*wine, n_lambdas=1, **LINEAR).tolist() == [grid[0]]
    path = shrinkage_path(*wine, n_lambdas=5, eps=1e-2, **LINEAR)
    np.testing.assert_array_equal(path.lambdas, grid)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty": None}, "without a penalty there is no path"),
        ({"hiden_layer_sizes": ()}, "did you mean 'hidden_layer_sizes'"),
        ({"task": "ranking"}, "unknown task 'ranking'"),
        ({"lambdas": []}, "the list of λ is empty"),
        ({"lambdas": [-1]}, "lam is -1"),
        ({"n_lambdas": 0}, "n_lambdas is 0"),
        ({"eps": 2}, "eps is 2"),
    ],
)
def test_settings_that_cannot_be_used(wine: Rows, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        shrinkage_path(*wine, **LINEAR | settings)


def test_nothing_to_learn(small: dict[str, Any]) -> None:
    X = np.zeros((30, 2))
    with pytest.raises(ShrinkageError, match="learns nothing even without a penalty"):
        lambda_max(X, np.arange(30) % 2, **small)
