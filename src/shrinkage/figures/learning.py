"""Learning curves: how training and validation loss part, without and with the penalty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.detect.gains import loss_name, point_of
from shrinkage.findings import Findings
from shrinkage.penalties import Penalty
from shrinkage.scores import default_metric, unit, usable
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
        Mean losses; the training loss is that over the minibatches since the previous entry. The
        validation loss is NaN where no rows were held back.
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
    def validated(self) -> bool:
        """Whether there were validation rows."""
        return bool(np.isfinite(self.validation).all())

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
    figure = learning_of(findings.study, (point.penalty, point.lam))
    if figure is None or figure.curves[0].penalized:
        return figure
    free = replace(figure.curves[0], gap=findings.diagnosis.gap.estimate)
    return replace(figure, curves=(free, *figure.curves[1:]))


def learning_of(study: Study, point: tuple[Penalty | None, float]) -> LearningFigure | None:
    """The numbers of no penalty and of any point of a study.

    Parameters
    ----------
    study : Study
        Its fits on folds are averaged; those on every training row are, where there are no folds.
    point : (Penalty or None, float)
        Penalty and λ.

    Returns
    -------
    LearningFigure or None
        None when the losses of neither were recorded but at the last epoch.
    """
    study = study.principal
    wanted: list[tuple[Penalty | None, float]] = [(None, 0.0), point]
    found = [_curves(study, *one) for one in dict.fromkeys(wanted)]
    curves = tuple(one for one in found if one is not None)
    if not curves:
        return None
    followed = np.concatenate([one.validation if one.validated else one.train for one in curves])
    smallest, highest = float(followed.min()), float(followed.max())
    largest = max(highest, *(float(one.train.max()) for one in curves))
    scale: Literal["linear", "log"] = (
        "log" if smallest > 0 and highest / smallest > _WIDE else "linear"
    )
    low = smallest / 5 if scale == "log" else -0.03 * largest
    return LearningFigure(
        curves=curves,
        loss=loss_name(study.data, study.trials[0].training),
        unit=unit(default_metric(study.data.task), study.data),
        scale=scale,
        y_range=(low, largest * (1.2 if scale == "log" else 1.06)),
    )


def _curves(study: Study, penalty: Penalty | None, lam: float) -> Curves | None:
    folds = bool(study.fold_fits)
    of_point = [
        fit
        for fit in (study.fold_fits if folds else study.refits)
        if (usable(fit) if folds else fit.ok) and point_of(fit) == (penalty, lam)
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
