"""Learning curves: how training and validation loss part, without and with the penalty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.findings import Findings
from shrinkage.penalties import Penalty
from shrinkage.scores import usable
from shrinkage.study import Study

Floats = NDArray[np.float64]

_WIDE = 12.0
"""Ratio of the largest to the smallest validation loss above which a logarithmic axis reads better.
Training losses do not count: they may vanish, and a logarithm would give that most of the room."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Mean losses over the folds, epoch by epoch, of one point of the path.

    Parameters
    ----------
    label : str
        ``"no penalty"`` or ``"L2, λ = 0.01"``.
    penalized : bool
        Whether it has a penalty.
    epochs : ndarray of int64, shape (E,)
        From 1, rising.
    train, validation : ndarray of float64, shape (E,)
        Mean losses; the training loss is that over the minibatches since the previous entry.
    folds : int
        Fits that are averaged.
    gap : float
        Mean validation loss less mean training loss of the final parameters, as in the diagnosis:
        the last entry of `train` is older, an average over the steps of an epoch.
    """

    label: str
    penalized: bool
    epochs: NDArray[np.int64]
    train: Floats
    validation: Floats
    folds: int
    gap: float

    @property
    def best_epoch(self) -> int:
        """Epoch with the least mean validation loss."""
        return int(self.epochs[int(np.argmin(self.validation))])


@dataclass(frozen=True, eq=False)
class LearningFigure:
    """Both curves on one scale.

    Parameters
    ----------
    curves : tuple of Curves
        No penalty, then the selected one when there is one.
    loss, unit : str
        What is on the y axis.
    scale : str
        ``"linear"`` or ``"log"``.
    y_range : tuple of float
        Common to both.
    """

    curves: tuple[Curves, ...]
    loss: str
    unit: str
    scale: Literal["linear", "log"]
    y_range: tuple[float, float]


def learning_figure(findings: Findings) -> LearningFigure | None:
    """The figure's numbers; None when the losses were recorded at the last epoch only."""
    point = findings.selection.point
    wanted: list[tuple[Penalty | None, float]] = [(None, 0.0)]
    if point.penalty is not None:
        wanted.append((point.penalty, point.lam))
    found = [_curves(findings.study.principal, penalty, lam) for penalty, lam in wanted]
    curves = tuple(one for one in found if one is not None)
    if curves and not curves[0].penalized:
        curves = (replace(curves[0], gap=findings.diagnosis.gap.estimate), *curves[1:])
    if not curves:
        return None
    validation = np.concatenate([one.validation for one in curves])
    smallest, highest = float(validation.min()), float(validation.max())
    largest = max(highest, *(float(one.train.max()) for one in curves))
    scale: Literal["linear", "log"] = (
        "log" if smallest > 0 and highest / smallest > _WIDE else "linear"
    )
    low = smallest / 5 if scale == "log" else -0.03 * largest
    return LearningFigure(
        curves=curves,
        loss=findings.diagnosis.loss_name,
        unit=findings.diagnosis.unit,
        scale=scale,
        y_range=(low, largest * (1.2 if scale == "log" else 1.06)),
    )


def _curves(study: Study, penalty: Penalty | None, lam: float) -> Curves | None:
    of_point = [
        fit
        for fit in study.fold_fits
        if usable(fit) and (fit.trial.penalty, fit.trial.lam) == (penalty, lam)
    ]
    if not of_point or of_point[0].epochs.size < 2:
        return None
    epochs = of_point[0].epochs
    same = [fit for fit in of_point if np.array_equal(fit.epochs, epochs)]
    return Curves(
        label=study.label(penalty, lam),
        penalized=penalty is not None,
        epochs=epochs,
        train=np.mean([fit.train_loss for fit in same], axis=0),
        validation=np.mean([fit.validation_loss for fit in same], axis=0),
        folds=len(same),
        gap=float(np.mean([fit.final_validation_loss - fit.final_train_loss for fit in of_point])),
    )
