"""Trainings with the penalty in the gradient, with decay and with neither, step for step."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.lesson.exhibited import Setting
from shrinkage.lesson.measured import Floats
from shrinkage.lesson.trials import lesson_trial
from shrinkage.network import layout
from shrinkage.penalties import L2
from shrinkage.study import Study, Trial

EPOCHS = (1, 2, 5, 10, 20, 50, 100)
"""After how many passes over the rows the weights are looked at; four steps each."""
_COMPARED = 20
"""At which of them numbers are compared. Later roundings decide for a point here and there whether
a relu unit is on, and two programs that differ by nothing else part."""
LAM = 0.02
OTHERS = tuple(LAM * factor for factor in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0))
"""Decoupled λ that are tried where decay is not the penalty, to find one that does the same."""


@dataclass(frozen=True)
class Descent:
    """One way to descend.

    Parameters
    ----------
    label : str
        For people.
    name : str
        One of :data:`shrinkage.training.OPTIMIZERS`.
    momentum : float
        Of SGD.
    rate : float
        α, the same in every step.
    """

    label: str
    name: str
    momentum: float
    rate: float


OPTIMIZERS = (
    Descent("SGD", "sgd", 0.0, 0.1),
    Descent("SGD with momentum 0.9", "sgd", 0.9, 0.01),
    Descent("Adam", "adam", 0.0, 0.01),
)
KINDS = (None, L2(), L2(decoupled=True))
"""Nothing; λw in the gradient; w(1 − αλ) before the step."""
DIFFERENT = (1, 2)
"""Optimizers under which decay is not the penalty: with momentum, and Adam."""


def epochs_of(setting: Setting) -> list[int]:
    """Those of :data:`EPOCHS` that the setting allows."""
    return [passes for passes in EPOCHS if passes <= setting.epochs]


def compared_at(setting: Setting) -> int:
    """The place in :func:`epochs_of` at which numbers are compared."""
    return len([passes for passes in epochs_of(setting) if passes <= _COMPARED]) - 1


def followed_trials(data: Data, seed: int, setting: Setting) -> list[Trial]:
    """By optimizer, then kind, then epochs. Shorter trainings are beginnings of longer ones."""
    return [
        _trial(data, seed, optimizer, kind, LAM, passes)
        for optimizer in OPTIMIZERS
        for kind in KINDS
        for passes in epochs_of(setting)
    ]


def decay_trials(data: Data, seed: int, setting: Setting) -> list[Trial]:
    """Other decays at the epochs where numbers are compared; that of λ is followed already."""
    last = epochs_of(setting)[compared_at(setting)]
    return [
        _trial(data, seed, OPTIMIZERS[way], KINDS[-1], lam, last)
        for way in DIFFERENT
        for lam in OTHERS
        if lam != LAM
    ]


def _trial(
    data: Data, seed: int, optimizer: Descent, kind: L2 | None, lam: float, epochs: int
) -> Trial:
    return lesson_trial(
        data,
        seed,
        kind,
        lam if kind else 0.0,
        epochs=epochs,
        optimizer=optimizer.name,
        momentum=optimizer.momentum,
        learning_rate=optimizer.rate,
    )


def steps_of(trial: Trial, data: Data, epochs: int) -> int:
    """Steps in so many passes over the rows."""
    return epochs * ceil(data.part(0).train.size / trial.training.batch_size)


@dataclass(frozen=True, eq=False)
class Compared:
    """The hidden weights of one seed.

    Parameters
    ----------
    weights : ndarray of float32, shape (optimizers, kinds, epochs, weights)
        Followed through the training.
    decays : ndarray of float32, shape (2, other λ, weights)
        Of each of :data:`DIFFERENT` with each of :data:`OTHERS`.
    at : int
        Index of the epochs at which numbers are compared, and `decays` taken.
    first : int
        So many of the weights are the first layer's; they come first.
    """

    weights: NDArray[np.float32]
    decays: NDArray[np.float32]
    at: int
    first: int

    @staticmethod
    def of(study: Study, setting: Setting) -> Compared:
        """Put the fits of :func:`followed_trials` and :func:`decay_trials` in order."""
        found = np.array([fit.penalized_weights for fit in study.fits])
        epochs, at = len(epochs_of(setting)), compared_at(setting)
        followed = len(OPTIMIZERS) * len(KINDS) * epochs
        weights = found[:followed].reshape(len(OPTIMIZERS), len(KINDS), epochs, -1)
        decays = found[followed:].reshape(len(DIFFERENT), len(OTHERS) - 1, -1)
        own = weights[list(DIFFERENT), -1, at]
        decays = np.insert(decays, OTHERS.index(LAM), own, axis=1)
        return Compared(weights, decays, at, layout(study.trials[0].network).kernels[0].stop)

    @property
    def apart(self) -> Floats:
        """Largest difference between penalty and decay, (optimizers, epochs)."""
        return _largest(self.weights[:, 1], self.weights[:, 2])

    @property
    def effect(self) -> Floats:
        """Largest difference between with and without the penalty, (optimizers, epochs)."""
        return _largest(self.weights[:, 1], self.weights[:, 0])

    @property
    def share(self) -> Floats:
        """The one in percent of the other, (optimizers, epochs)."""
        share: Floats = 100.0 * self.apart / self.effect
        return share

    @property
    def decayed(self) -> Floats:
        """The same of other decays, (2, other λ)."""
        ways = list(DIFFERENT)
        apart = _largest(self.decays, self.weights[ways, 1, self.at][:, None])
        share: Floats = 100.0 * apart / self.effect[ways, self.at][:, None]
        return share


def _largest(one: NDArray[np.float32], other: NDArray[np.float32]) -> Floats:
    largest: Floats = np.abs(one.astype(np.float64) - other).max(axis=-1)
    return largest
