"""A joint search as figures: how it went on, and what each ingredient is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.scores import NAMES, unit
from shrinkage.tune.joint import Ablation, Joint

Floats = NDArray[np.float64]
_WIDE = 2.5
"""Ratio of the largest to the least loss above which a logarithmic axis reads better."""


@dataclass(frozen=True, eq=False)
class HistoryFigure:
    """Every recipe's mean score, in the order of trying.

    Parameters
    ----------
    number : ndarray of int64, shape (n,)
        From 1.
    score : ndarray of float64, shape (n,)
        Mean over the folds that the recipe saw.
    complete : ndarray of bool, shape (n,)
        Whether it saw all.
    folds : ndarray of int64, shape (n,)
        How many it saw.
    label : tuple of str
        Its ingredients.
    leader : ndarray of float64, shape (n,)
        Best complete score so far; NaN before there is one.
    base : float
        Without regularization.
    best : int or None
        Place of the best recipe.
    metric, unit : str
        For the axis.
    range : (float, float)
        Of the y axis; recipes beyond it are drawn at its edge.
    scale : str
        ``"linear"``, or ``"log"`` for losses that lie far apart.
    """

    number: NDArray[np.int64]
    score: Floats
    complete: NDArray[np.bool_]
    folds: NDArray[np.int64]
    label: tuple[str, ...]
    leader: Floats
    base: float
    best: int | None
    metric: str
    unit: str
    range: tuple[float, float]
    scale: Literal["linear", "log"]


@dataclass(frozen=True, eq=False)
class AblationFigure:
    """What each ingredient of the best recipe is worth.

    Parameters
    ----------
    bars : tuple of Ablation
        From the least helpful up, as they are drawn.
    metric, unit : str
        For the axis.
    reach : float
        Largest distance from 0 that has to be shown.
    """

    bars: tuple[Ablation, ...]
    metric: str
    unit: str
    reach: float


def history_figure(joint: Joint) -> HistoryFigure | None:
    """The history; None before anything was tried."""
    tried = [one for one in joint.tried if one.folds]
    if not tried:
        return None
    score = np.array([one.mean for one in tried])
    complete = np.array([one.complete for one in tried])
    ranked = np.where(complete, joint.sign * score, -np.inf)
    leader = np.maximum.accumulate(ranked)
    base = float(np.nanmean(joint.base_scores))
    best = next(
        (i for i, one in enumerate(tried) if joint.best and one.number == joint.best.number), None
    )
    # A recipe that fails altogether would squeeze all others into a line.
    near = np.append(score[np.argsort(-joint.sign * score)][: max(3 * len(tried) // 4, 1)], base)
    margin = 0.12 * float(np.ptp(near)) or 0.05
    low, high = float(near.min()), float(near.max())
    apart = joint.sign < 0 and low > 0 and high / low > _WIDE
    return HistoryFigure(
        number=np.array([one.number + 1 for one in tried], dtype=np.int64),
        score=score,
        complete=complete,
        folds=np.array([one.folds for one in tried], dtype=np.int64),
        label=tuple(one.candidate.label(joint.base) for one in tried),
        leader=np.where(np.isfinite(leader), joint.sign * leader, np.nan),
        base=base,
        best=best,
        metric=NAMES[joint.metric],
        unit=unit(joint.metric, joint.data),
        range=(low / 1.15, high * 1.15) if apart else (low - margin, high + margin),
        scale="log" if apart else "linear",
    )


def ablation_figure(joint: Joint) -> AblationFigure | None:
    """The ablation; None when there was none."""
    if not joint.ablations:
        return None
    ends = [
        abs(value)
        for one in joint.ablations
        for value in (one.help.estimate, one.help.low, one.help.high)
        if np.isfinite(value)
    ]
    return AblationFigure(
        bars=tuple(reversed(joint.ablations)),
        metric=NAMES[joint.metric],
        unit=unit(joint.metric, joint.data),
        reach=max(ends) or 1.0,
    )
