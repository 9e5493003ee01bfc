"""The λ path: what to try, where to look for λ, and which λ to choose."""

from shrinkage.tune.planning import RULES, Plan, default_training, plan
from shrinkage.tune.search import Search, power, versions
from shrinkage.tune.selection import Selection, badness, candidates, select, strongest

__all__ = [
    "RULES",
    "Plan",
    "Search",
    "Selection",
    "badness",
    "candidates",
    "default_training",
    "plan",
    "power",
    "select",
    "strongest",
    "versions",
]
