"""Penalties on one kernel: value, proximal step, distance to stationarity and λ_max.

λ is always an argument and never an attribute, so one object serves a whole path. The convention is
the textbook's: L1 is λ Σ|w|, L2 is (λ/2) Σ w², ElasticNet mixes the two as glmnet does, and
GroupLasso is λ Σ √|g| ‖w_g‖ over groups of weights that live or die together.
"""

from shrinkage.penalties.group_lasso import GroupLasso
from shrinkage.penalties.names import PENALTIES, describe, describe_lambda, parse_penalty
from shrinkage.penalties.penalty import GROUPS, Array, Groups, Penalty
from shrinkage.penalties.separable import L1, L2, ElasticNet

__all__ = [
    "GROUPS",
    "L1",
    "L2",
    "PENALTIES",
    "Array",
    "ElasticNet",
    "GroupLasso",
    "Groups",
    "Penalty",
    "describe",
    "describe_lambda",
    "parse_penalty",
]
