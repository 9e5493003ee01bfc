"""scikit-learn's interface; no mathematics here."""

from shrinkage.estimators.cross_validated import ShrinkageClassifierCV, ShrinkageRegressorCV
from shrinkage.estimators.paths import ShrinkagePath, lambda_grid, lambda_max, shrinkage_path
from shrinkage.estimators.single import ShrinkageClassifier, ShrinkageRegressor

__all__ = [
    "ShrinkageClassifier",
    "ShrinkageClassifierCV",
    "ShrinkagePath",
    "ShrinkageRegressor",
    "ShrinkageRegressorCV",
    "lambda_grid",
    "lambda_max",
    "shrinkage_path",
]
