"""scikit-learn's own checks of what an estimator has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage.estimators import (
    ShrinkageClassifier,
    ShrinkageClassifierCV,
    ShrinkageRegressor,
    ShrinkageRegressorCV,
)

SMALL: dict[str, Any] = {"hidden_layer_sizes": (16,), "max_iter": 80, "n_jobs": 1}
PATH: dict[str, Any] = {"lambdas": (0.001, 0.1), "cv": 3}

ESTIMATORS = [
    ShrinkageClassifier(**SMALL),
    ShrinkageRegressor(**SMALL),
    ShrinkageClassifierCV(**SMALL, **PATH),
    ShrinkageRegressorCV(**SMALL, **PATH),
]


@parametrize_with_checks(ESTIMATORS)  # type: ignore[untyped-decorator]  # scikit-learn has no annotations
def test_scikit_learn_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
