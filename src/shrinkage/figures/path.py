"""The λ path as a figure: losses with bands, the two choices, and zones that the data name."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.detect import Diagnosis
from shrinkage.findings import Findings
from shrinkage.penalties import Penalty
from shrinkage.scores import PathPoint, path
from shrinkage.study import Study
from shrinkage.tune import Selection, badness, candidates, strongest

Floats = NDArray[np.float64]
ZoneName = Literal["overfitting", "good", "underfitting"]

_GAP = 0.7
"""Decades between no penalty (λ = 0, which has no logarithm) and the smallest λ."""
_MARGIN = 0.25
_NEAR = 1.4
"""A constant prediction's loss beyond this multiple of everything else is not drawn."""
_WIDE = 8.0
"""Ratio of the largest to the least validation loss above which the axis is logarithmic."""


@dataclass(frozen=True)
class Zone:
    """A stretch of the path, in the figure's x.

    Parameters
    ----------
    name : str
        ``"good"``: the mean validation loss, joined by straight lines between the points, is
        within one standard error of its least, without interruption around that least.
        ``"overfitting"``: everything at smaller λ, where the validation loss is worse although
        the training loss is better than at the least. ``"underfitting"``: everything at larger
        λ, where both are worse.
    start, stop : float
        Ends in x.
    """

    name: ZoneName
    start: float
    stop: float


@dataclass(frozen=True)
class Mark:
    """A choice on the path: where it lies, and what it is called."""

    rule: Literal["minimum", "one_standard_error"]
    label: str
    x: float
    validation: float
    selected: bool


@dataclass(frozen=True, eq=False)
class PathPanel:
    """One penalty's path.

    Parameters
    ----------
    penalty : Penalty
        Whose path it is.
    x : ndarray of float64, shape (k,)
        log₁₀ λ, rising; no penalty comes first when it was fitted, at :attr:`edge`.
    labels : tuple of str
        For people: ``"no penalty"``, ``"L2, λ = 0.01"``.
    train, validation : ndarray of float64, shape (k,)
        Mean losses over the folds.
    train_error, validation_error : ndarray of float64, shape (k,)
        Standard errors of those means.
    zeros : ndarray of float64, shape (k,)
        Mean share of penalized weights that are exactly zero.
    folds : ndarray of int64, shape (k,)
        Fits behind each point.
    edge : float or None
        x of no penalty.
    zones : tuple of Zone
        From left to right; neighbours touch.
    marks : tuple of Mark
        The least and the strongest within one standard error, of this penalty.
    selected : bool
        Whether the recommended point is on this panel.
    x_range : tuple of float
        What the x axis shows: λ means something else to every penalty, so each has its own.
    """

    penalty: Penalty
    x: Floats
    labels: tuple[str, ...]
    train: Floats
    validation: Floats
    train_error: Floats
    validation_error: Floats
    zeros: Floats
    folds: NDArray[np.int64]
    edge: float | None
    zones: tuple[Zone, ...]
    marks: tuple[Mark, ...]
    selected: bool
    x_range: tuple[float, float]


@dataclass(frozen=True, eq=False)
class PathFigure:
    """The λ path of every penalty, with one scale of losses.

    Parameters
    ----------
    panels : tuple of PathPanel
        The selected penalty's first.
    loss, unit : str
        What is on the y axis: ``"log loss"``, ``"nats"``.
    null : float or None
        Loss of a constant prediction; None when it lies far above everything else.
    scale : str
        ``"linear"``, or ``"log"`` where the least loss would else be flat on the axis.
    y_range : tuple of float
        Common to the panels. A logarithmic one leaves out what lies far below the least
        validation loss: a training loss may vanish.
    incomplete : int
        Points left out because they were fitted on fewer folds than others.
    """

    panels: tuple[PathPanel, ...]
    loss: str
    unit: str
    null: float | None
    scale: Literal["linear", "log"]
    y_range: tuple[float, float]
    incomplete: int


def path_figure(findings: Findings) -> PathFigure | None:
    """The figure's numbers; None when no penalty has a point on as many folds as any other."""
    return path_of(findings.study, findings.selection, findings.diagnosis)


def path_of(study: Study, selection: Selection, diagnosis: Diagnosis) -> PathFigure | None:
    """The numbers of any study's path.

    Parameters
    ----------
    study : Study
        Whose path it is.
    selection : Selection
        The choice from it that is pointed out; its metric is what the marks go by.
    diagnosis : Diagnosis
        Of the same study: the loss of a constant prediction, and what the loss is called.

    Returns
    -------
    PathFigure or None
        None when no penalty has a point on as many folds as any other.
    """
    complete = candidates(study, selection.metric)
    baseline = next((point for point in complete if point.penalty is None), None)
    penalties = list(dict.fromkeys(point.penalty for point in complete if point.penalty))
    if not penalties:
        return None
    chosen = selection.point.penalty or selection.runner_up
    penalties.sort(key=lambda penalty: penalty != chosen)
    panels = tuple(_panel(penalty, complete, baseline, selection) for penalty in penalties)
    highest = _highest(panels)
    null = diagnosis.null_loss
    shown = null <= _NEAR * highest
    top = max(highest, null if shown else 0.0)
    least = min(float(panel.validation.min()) for panel in panels)
    logarithmic = least > 0 and top > _WIDE * least
    return PathFigure(
        panels=panels,
        loss=diagnosis.loss_name,
        unit=diagnosis.unit,
        null=null if shown else None,
        scale="log" if logarithmic else "linear",
        y_range=(least / 5, 1.6 * top) if logarithmic else (-0.03 * top, 1.14 * top),
        incomplete=len(path(study, selection.metric)) - len(complete),
    )


def _panel(
    penalty: Penalty,
    complete: list[PathPoint],
    baseline: PathPoint | None,
    selection: Selection,
) -> PathPanel:
    own = [point for point in complete if point.penalty == penalty]
    edge = None if baseline is None else log10(own[0].lam) - _GAP
    points = own if baseline is None else [baseline, *own]
    x = np.array([edge if point.penalty is None else log10(point.lam) for point in points])
    train = np.array([point.mean_train for point in points])
    validation = np.array([point.mean_validation for point in points])
    error = np.array([point.se_validation for point in points])
    return PathPanel(
        penalty=penalty,
        x=x,
        labels=tuple(point.label for point in points),
        train=train,
        validation=validation,
        train_error=np.array([point.se_train for point in points]),
        validation_error=error,
        zeros=np.array([point.sparsity for point in points]),
        folds=np.array([point.folds.size for point in points]),
        edge=edge,
        zones=zones(x, train, validation, error),
        marks=_marks(own, selection),
        selected=selection.point.penalty == penalty,
        x_range=(float(x[0]) - _MARGIN, float(x[-1]) + _MARGIN),
    )


def _marks(own: list[PathPoint], selection: Selection) -> tuple[Mark, ...]:
    """The two choices among one penalty's points, by the metric that the plan chooses by."""
    metric = selection.metric
    least = min(own, key=lambda point: badness(point, metric))
    selected = selection.point
    rules: tuple[tuple[Literal["minimum", "one_standard_error"], PathPoint], ...] = (
        ("minimum", least),
        ("one_standard_error", strongest(least, own, metric)),
    )
    return tuple(
        Mark(
            rule=rule,
            label=point.label,
            x=log10(point.lam),
            validation=point.mean_validation,
            selected=(point.penalty, point.lam) == (selected.penalty, selected.lam),
        )
        for rule, point in rules
    )


def zones(x: Floats, train: Floats, validation: Floats, error: Floats) -> tuple[Zone, ...]:
    """Zones of a path, from its means and standard errors alone.

    Parameters
    ----------
    x : ndarray of float64, shape (k,)
        Places of the points, rising.
    train, validation : ndarray of float64, shape (k,)
        Mean losses.
    error : ndarray of float64, shape (k,)
        Standard errors of the mean validation losses.

    Returns
    -------
    tuple of Zone
        See there. A side on which the training loss contradicts the name gets no zone.
    """
    best = int(np.argmin(validation))
    limit = validation[best] + error[best]
    left = _crossing(x[best::-1], validation[best::-1], limit)
    right = _crossing(x[best:], validation[best:], limit)
    found = [Zone("good", left, right)]
    if left > x[0] and train[0] < train[best]:
        found.insert(0, Zone("overfitting", float(x[0]), left))
    if right < x[-1] and train[-1] > train[best]:
        found.append(Zone("underfitting", right, float(x[-1])))
    return tuple(found)


def _crossing(x: Floats, loss: Floats, limit: float) -> float:
    """Where `loss`, followed from the first point on, first exceeds `limit`; the end if nowhere."""
    above = np.flatnonzero(loss > limit)
    if above.size == 0:
        return float(x[-1])
    after = int(above[0])
    before = after - 1
    share = (limit - loss[before]) / (loss[after] - loss[before])
    return float(x[before] + share * (x[after] - x[before]))


def _highest(panels: tuple[PathPanel, ...]) -> float:
    """Top of every mean and of the bands around the validation means."""
    return max(
        max(float((panel.validation + panel.validation_error).max()), float(panel.train.max()))
        for panel in panels
    )
