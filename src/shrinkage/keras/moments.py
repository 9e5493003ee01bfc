"""What is measured of a model at one epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError
from shrinkage.keras.layers import places_of
from shrinkage.keras.strength import lambdas_of
from shrinkage.keras.values import numpy_of


@dataclass(frozen=True)
class Moment:
    """One epoch as it was measured.

    Parameters
    ----------
    epoch : int
        From 1.
    train_loss, validation_loss, gap : float
        Free of any penalty.
    lam : float
        The largest λ; 0 without penalties of this package.
    norm, spread, zeros : float
        Of the hidden kernels together: Euclidean norm, standard deviation, and the share of weights
        that are exactly zero.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    gap: float
    lam: float
    norm: float
    spread: float
    zeros: float


def penalty_of(model: Any) -> float:
    """What the regularizers of a model's weights add to its loss now."""
    found = 0.0
    for variable in model.trainable_variables:
        if variable.regularizer is not None:
            found += float(numpy_of(variable.regularizer(variable)))
    return found


def hidden_weights(model: Any) -> NDArray[np.float64]:
    """The hidden kernels as one vector; all kernels where none is hidden."""
    places = places_of(model)
    kinds = {place.parameter.kind for place in places}
    kind = "hidden kernel" if "hidden kernel" in kinds else "output kernel"
    kernels = [numpy_of(p.variable).ravel() for p in places if p.parameter.kind == kind]
    return np.concatenate(kernels).astype(np.float64) if kernels else np.empty(0)


def strongest(model: Any) -> float:
    """The largest λ of a model; 0 without penalties of this package."""
    try:
        return max(float(lam) for lam in lambdas_of(model).values())
    except SettingError:
        return 0.0
