"""Figures for paper and notebooks, drawn with Matplotlib in scikit-learn's way.

Each display has the numbers that the report shows too (:mod:`shrinkage.figures`), and draws them on
axes of its own, one column wide, or on the caller's.
"""

from shrinkage.displays.boundary import DecisionBoundaryDisplay
from shrinkage.displays.capacity import CapacityDisplay
from shrinkage.displays.learning import LearningCurveDisplay
from shrinkage.displays.path import LambdaPathDisplay
from shrinkage.displays.weights import WeightDistributionDisplay

__all__ = [
    "CapacityDisplay",
    "DecisionBoundaryDisplay",
    "LambdaPathDisplay",
    "LearningCurveDisplay",
    "WeightDistributionDisplay",
]
