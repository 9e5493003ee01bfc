"""Which ingredient of the optimum helped: each removed in turn, and the rest fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.detect.gains import over_folds
from shrinkage.intervals import Interval
from shrinkage.tune.joint.candidate import Candidate

Floats = NDArray[np.float64]
WHOLE = ""
"""The name under which the optimum itself is fitted again, with the seeds of the ablations."""


@dataclass(frozen=True)
class Ablation:
    """What the optimum is worth without one ingredient.

    Parameters
    ----------
    ingredient : str
        ``"dropout"``.
    value : str
        What it is in the optimum: ``"dropout 0.2"``.
    help : Interval
        By how much the score is better with it than without it, over folds; positive where it
        helps, in the unit of the metric.
    folds : int
        That it was measured on.
    """

    ingredient: str
    value: str
    help: Interval
    folds: int

    @property
    def verdict(self) -> str:
        """``"helps"``, ``"hurts"`` or ``"unclear"``."""
        if self.help.low > 0:
            return "helps"
        return "hurts" if self.help.high < 0 else "unclear"


def ablations(
    best: Candidate, base: Candidate, scores: Mapping[str, Floats], data: Data, sign: float
) -> tuple[Ablation, ...]:
    """Compare the optimum with and without each ingredient, fold by fold.

    Parameters
    ----------
    best, base : Candidate
        The optimum, and what an ingredient is without it.
    scores : mapping of str to ndarray (F,)
        Ingredient → score on each fold without it, NaN where it was not fitted; :data:`WHOLE` →
        that of the optimum, with the same seeds.
    data : Data
        The folds.
    sign : float
        1 where a larger score is better, else −1.

    Returns
    -------
    tuple of Ablation
        The most helpful first; empty when fewer than two folds are common to all.
    """
    names = [name for name in best.differences(base) if name in scores]
    if WHOLE not in scores or not names:
        return ()
    # The clock may end it in the middle of a fold; all are compared on the folds that all have.
    common = np.isfinite([scores[name] for name in (WHOLE, *names)]).all(axis=0)
    folds = int(common.sum())
    if folds < 2:
        return ()
    found = []
    for name, value in best.differences(base).items():
        if name in scores:
            difference = np.where(common, sign * (scores[WHOLE] - scores[name]), np.nan)
            found.append(Ablation(name, value, over_folds(difference, data), folds))
    return tuple(sorted(found, key=lambda one: -one.help.estimate))
