"""In scikit-learn's company."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinkage import (
    ShrinkageClassifier,
    ShrinkageClassifierCV,
    ShrinkageRegressor,
    ShrinkageRegressorCV,
)

Rows = tuple[NDArray[np.float64], NDArray[Any]]
PATH: dict[str, Any] = {"lambdas": (0.01, 0.1), "cv": 2}


def test_grid_search_over_a_pipeline(cancer: Rows, small: dict[str, Any]) -> None:
    pipeline = make_pipeline(StandardScaler(), ShrinkageClassifier(**small))
    grid = {"shrinkageclassifier__lam": [0.001, 0.1], "shrinkageclassifier__penalty": ["l1", "l2"]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss").fit(*cancer)
    assert search.score(*cancer) > -0.4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.slow
def test_cross_val_score_in_two_processes(cancer: Rows, small: dict[str, Any]) -> None:
    model = ShrinkageClassifierCV(**small, **PATH)
    apart = cross_val_score(model, *cancer, cv=2, n_jobs=2)
    np.testing.assert_array_equal(apart, cross_val_score(model, *cancer, cv=2))
    assert apart.min() > 0.85


def test_calibration(cancer: Rows, small: dict[str, Any]) -> None:
    calibrated = CalibratedClassifierCV(ShrinkageClassifier(**small), cv=2).fit(*cancer)
    assert calibrated.score(*cancer) > 0.9


def test_permutation_importance_finds_the_input_that_matters(small: dict[str, Any]) -> None:
    X = np.random.default_rng(0).normal(size=(200, 3))
    model = ShrinkageRegressor(**small | {"max_iter": 60}).fit(X, 3 * X[:, 1])
    importances = permutation_importance(model, X, 3 * X[:, 1], n_repeats=2, random_state=0)
    assert importances.importances_mean.argmax() == 1


def test_voting_and_bagging(wine: Rows, small: dict[str, Any]) -> None:
    network = ShrinkageClassifier(**small | {"max_iter": 40})
    members = [
        ("network", network),
        ("linear", make_pipeline(StandardScaler(), LogisticRegression())),
    ]
    assert VotingClassifier(members, voting="soft").fit(*wine).score(*wine) > 0.9
    assert BaggingClassifier(network, n_estimators=3, random_state=0).fit(*wine).score(*wine) > 0.9


def test_a_linear_l1_selects_features(wine: Rows, small: dict[str, Any]) -> None:
    linear = ShrinkageClassifier(lam=0.05, penalty="l1", hidden_layer_sizes=(), random_state=0)
    kept = SelectFromModel(linear, threshold=1e-9).fit(*wine).get_support()
    assert 0 < kept.sum() < 13


def test_one_estimator_for_each_of_two_labels(wine: Rows, small: dict[str, Any]) -> None:
    labels = np.column_stack([wine[1] == 0, wine[1] == 1])
    both = MultiOutputClassifier(ShrinkageClassifier(**small)).fit(wine[0], labels)
    assert both.predict(wine[0]).shape == labels.shape


def test_a_pipeline_transforms_validation_rows(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    model = ShrinkageClassifier(standardize=False, **small)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            StandardScaler(),
            model.set_fit_request(X_val=True, y_val=True),
            transform_input=["X_val"],
        )
        pipeline.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert pipeline[-1].validation_curve_[-1] < 0.3


def test_names_of_columns_survive_a_pipeline(wine: Rows, small: dict[str, Any]) -> None:
    table = pd.DataFrame(wine[0]).add_prefix("x")
    pipeline = make_pipeline(StandardScaler(), ShrinkageClassifier(**small))
    pipeline.set_output(transform="pandas").fit(table, wine[1])
    assert pipeline[-1].feature_names_in_.tolist() == list(table.columns)


@pytest.mark.parametrize(
    "model",
    [
        ShrinkageClassifier(),
        ShrinkageRegressor(),
        ShrinkageClassifierCV(**PATH),
        ShrinkageRegressorCV(**PATH),
    ],
    ids=lambda model: type(model).__name__,
)
def test_clone_and_dump(model: Any, cancer: Rows, small: dict[str, Any], tmp_path: Path) -> None:
    X, y = cancer
    fitted = clone(model).set_params(**small).fit(X, y)
    again = clone(fitted).fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), again.predict(X))
    joblib.dump(fitted, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(fitted.predict(X), loaded.predict(X))
    assert loaded.lambda_ == fitted.lambda_
    assert repr(loaded) == repr(fitted)
