"""What is measured of a model at one epoch, and what the last epochs tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError
from shrinkage.intervals import Interval, decimals
from shrinkage.keras.gaps import trend_of
from shrinkage.keras.layers import places_of
from shrinkage.keras.strength import lambdas_of
from shrinkage.keras.values import numpy_of

_WINDOW = 0.25
"""Share of the measurements that a trend is about."""
_FEWEST = 8
"""Measurements that it is about at least, as far as there are so many."""


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


def moment_of(model: Any, epoch: int, train_loss: float, validation_loss: float) -> Moment:
    """A model as it is now, with losses that were measured."""
    weights = _hidden_weights(model)
    return Moment(
        epoch,
        train_loss,
        validation_loss,
        validation_loss - train_loss,
        _strongest(model),
        float(np.linalg.norm(weights)),
        float(weights.std()) if weights.size else 0.0,
        float(np.mean(weights == 0.0)) if weights.size else 0.0,
    )


def recent_of(moments: Sequence[Moment]) -> Sequence[Moment]:
    """The last of them, which a trend is about."""
    return moments[-max(int(_WINDOW * len(moments)), min(len(moments), _FEWEST)) :]


def trend_over(moments: Sequence[Moment]) -> Interval | None:
    """Change of the gap per epoch; None where there are too few."""
    return trend_of([m.epoch for m in moments], [m.gap for m in moments])


def line_of(moments: Sequence[Moment], epochs: int | None) -> str:
    """The last of them in one line, of so many epochs in all."""
    last, trend = moments[-1], trend_over(recent_of(moments))
    places = decimals(last.validation_loss, last.train_loss)
    direction = ""
    if trend is not None and trend.excludes(0.0):
        direction = " rising" if trend.estimate > 0 else " falling"
    parts = [
        f"epoch {last.epoch:,}" + (f"/{epochs:,}" if epochs else ""),
        f"train {last.train_loss:.{places}f}",
        f"validation {last.validation_loss:.{places}f}",
        f"gap {last.gap:+.{places}f}{direction}",
    ]
    if last.zeros:
        parts.append(f"{last.zeros:.0%} zeros")
    return " · ".join(parts)


def penalty_of(model: Any) -> float:
    """What the regularizers of a model's weights add to its loss now."""
    found = 0.0
    for variable in model.trainable_variables:
        if variable.regularizer is not None:
            found += float(numpy_of(variable.regularizer(variable)))
    return found


def _hidden_weights(model: Any) -> NDArray[np.float64]:
    """The hidden kernels as one vector; all kernels where none is hidden."""
    places = places_of(model)
    kinds = {place.parameter.kind for place in places}
    kind = "hidden kernel" if "hidden kernel" in kinds else "output kernel"
    kernels = [numpy_of(p.variable).ravel() for p in places if p.parameter.kind == kind]
    return np.concatenate(kernels).astype(np.float64) if kernels else np.empty(0)


def _strongest(model: Any) -> float:
    """The largest λ of a model; 0 without penalties of this package."""
    try:
        return max(float(lam) for lam in lambdas_of(model).values())
    except SettingError:
        return 0.0
