"""What λ means elsewhere: the settings of other frameworks, and exact conversion to and from ours.

Ours is J = mean loss + λ₁ Σ|w| + (λ₂/2) Σ w², over hidden kernels; a squared error is the mean over
rows and targets, without a ½. Each framework's setting is one record, and conversion is one formula
over its fields; a setting is added by listing it.
"""

from shrinkage.conventions.catalogue import (
    KERAS_L1,
    KERAS_L2,
    KERAS_WEIGHT_DECAY,
    SETTINGS,
    SKLEARN_ALPHA,
    TORCH_ADAMW_WEIGHT_DECAY,
    TORCH_WEIGHT_DECAY,
    find,
)
from shrinkage.conventions.circumstances import Circumstances, Strength
from shrinkage.conventions.conversion import Conversion, convert
from shrinkage.conventions.obstacles import missing, obstacle
from shrinkage.conventions.setting import DECOUPLED, Setting

__all__ = [
    "DECOUPLED",
    "KERAS_L1",
    "KERAS_L2",
    "KERAS_WEIGHT_DECAY",
    "SETTINGS",
    "SKLEARN_ALPHA",
    "TORCH_ADAMW_WEIGHT_DECAY",
    "TORCH_WEIGHT_DECAY",
    "Circumstances",
    "Conversion",
    "Setting",
    "Strength",
    "convert",
    "find",
    "missing",
    "obstacle",
]
