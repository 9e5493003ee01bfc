"""How much regularization a neural network needs, and the proof.

Names are loaded on first use, so ``import shrinkage`` costs nothing: each heavy package is imported
by the room that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shrinkage.detect import diagnose
    from shrinkage.engine.pool import train
    from shrinkage.errors import ShrinkageError
    from shrinkage.estimators import (
        ShrinkageClassifier,
        ShrinkageClassifierCV,
        ShrinkageRegressor,
        ShrinkageRegressorCV,
        shrinkage_path,
    )
    from shrinkage.estimators.saving import load
    from shrinkage.network import Network
    from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
    from shrinkage.study import Fit, Study, Trial
    from shrinkage.training import Training
    from shrinkage.tune import select

    __version__: str

__all__ = [
    "L1",
    "L2",
    "ElasticNet",
    "Fit",
    "GroupLasso",
    "Network",
    "ShrinkageClassifier",
    "ShrinkageClassifierCV",
    "ShrinkageError",
    "ShrinkageRegressor",
    "ShrinkageRegressorCV",
    "Study",
    "Training",
    "Trial",
    "__version__",
    "diagnose",
    "load",
    "select",
    "shrinkage_path",
    "train",
]

_ROOMS = {
    "L1": "penalties",
    "L2": "penalties",
    "ElasticNet": "penalties",
    "Fit": "study",
    "GroupLasso": "penalties",
    "Network": "network",
    "ShrinkageClassifier": "estimators",
    "ShrinkageClassifierCV": "estimators",
    "ShrinkageError": "errors",
    "ShrinkageRegressor": "estimators",
    "ShrinkageRegressorCV": "estimators",
    "Study": "study",
    "Training": "training",
    "Trial": "study",
    "diagnose": "detect",
    "load": "estimators.saving",
    "select": "tune",
    "shrinkage_path": "estimators",
    "train": "engine.pool",
}

if not TYPE_CHECKING:  # a type checker sees the imports above, and so every misspelt name

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version("shrinkage")
        if name not in _ROOMS:
            raise AttributeError(f"module 'shrinkage' has no attribute '{name}'")
        value = getattr(import_module(f"shrinkage.{_ROOMS[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
