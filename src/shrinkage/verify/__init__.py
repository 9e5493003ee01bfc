"""The proof: performance on the test set, weights, decision boundary and checklist."""

from shrinkage.verify.boundary import Boundary, Plane, Surface
from shrinkage.verify.checklist import CheckPoint
from shrinkage.verify.committee import Committee, committee_of
from shrinkage.verify.performance import Effect
from shrinkage.verify.relaxation import Relaxation
from shrinkage.verify.shrinking import Shrinking
from shrinkage.verify.simplicity import Simplicity
from shrinkage.verify.verification import Verification, verify
from shrinkage.verify.weights import WeightsComparison, WeightsSummary

__all__ = [
    "Boundary",
    "CheckPoint",
    "Committee",
    "Effect",
    "Plane",
    "Relaxation",
    "Shrinking",
    "Simplicity",
    "Surface",
    "Verification",
    "WeightsComparison",
    "WeightsSummary",
    "committee_of",
    "verify",
]
