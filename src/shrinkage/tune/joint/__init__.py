"""The joint search: penalty, λ and every other regularizer together, within a budget."""

from shrinkage.tune.joint.ablation import Ablation, ablations
from shrinkage.tune.joint.budget import Budget, parse_budget
from shrinkage.tune.joint.candidate import Candidate
from shrinkage.tune.joint.record import Joint, Tried
from shrinkage.tune.joint.search import JointSearch
from shrinkage.tune.joint.space import PENALTIES, Space

__all__ = [
    "PENALTIES",
    "Ablation",
    "Budget",
    "Candidate",
    "Joint",
    "JointSearch",
    "Space",
    "Tried",
    "ablations",
    "parse_budget",
]
