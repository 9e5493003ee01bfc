"""Penalties, audit, path and proof for a Keras model of one's own.

On whatever backend Keras runs on: importing this room imports Keras, and chooses nothing.
"""

from shrinkage.exports.packages import require_package
from shrinkage.frameworks.proof import report

require_package("keras")

from shrinkage.keras.audit import audit  # noqa: E402  # a missing backend is a sentence
from shrinkage.keras.decay import decay_only  # noqa: E402  # as above
from shrinkage.keras.judging import judge  # noqa: E402  # as above
from shrinkage.keras.monitor import OverfittingMonitor  # noqa: E402  # as above
from shrinkage.keras.path import model_of, path  # noqa: E402  # as above
from shrinkage.keras.proximal import Proximal  # noqa: E402  # as above
from shrinkage.keras.regularize import regularize, unregularize  # noqa: E402  # as above
from shrinkage.keras.strength import LambdaSchedule, lambdas_of, set_lambda  # noqa: E402  # as above
from shrinkage.keras.terms import PenaltyTerm  # noqa: E402  # as above

__all__ = [
    "LambdaSchedule",
    "OverfittingMonitor",
    "PenaltyTerm",
    "Proximal",
    "audit",
    "decay_only",
    "judge",
    "lambdas_of",
    "model_of",
    "path",
    "regularize",
    "report",
    "set_lambda",
    "unregularize",
]
