"""scikit-learn's interface; no mathematics here."""

from shrinkage.estimators.cross_validated import ShrinkageClassifierCV, ShrinkageRegressorCV
from shrinkage.estimators.single import ShrinkageClassifier, ShrinkageRegressor

__all__ = [
    "ShrinkageClassifier",
    "ShrinkageClassifierCV",
    "ShrinkageRegressor",
    "ShrinkageRegressorCV",
]
