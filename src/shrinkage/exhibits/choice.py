"""Choosing on the other folds of a repeat, so that a choice is never measured where it was made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.detect.gains import best_of, gains_over, over_folds
from shrinkage.intervals import Interval

Floats = NDArray[np.float64]


def chosen_elsewhere(losses: Floats, data: Data) -> NDArray[np.int64]:
    """For each fold the candidate with the least mean loss on the OTHER folds of its repeat.

    Parameters
    ----------
    losses : ndarray of float64, shape (M, F)
        Validation loss of each candidate on each fold; NaN where it is missing.
    data : Data
        How many folds make a repeat.

    Returns
    -------
    ndarray of int64, shape (F,)
        Index of the candidate; −1 where none can be both chosen and measured.

    References
    ----------
    Varma & Simon (2006), BMC Bioinformatics 7:91, for choosing without the fold that measures.
    """
    folds = np.arange(losses.shape[1])
    repeats = folds // data.folds
    chosen = np.full(folds.size, -1, dtype=np.int64)
    for fold in folds:
        others = (repeats == repeats[fold]) & (folds != fold)
        measurable = np.flatnonzero(np.isfinite(losses[:, fold]))
        best = best_of(-losses[np.ix_(measurable, others)])
        if best is not None:
            chosen[fold] = measurable[best]
    return chosen


def measured(values: Floats, chosen: NDArray[np.int64]) -> Floats:
    """On each fold the value (M, F) of the candidate chosen there, (F,); NaN where none was."""
    folds = np.arange(chosen.size)
    found: Floats = np.where(chosen >= 0, values[chosen, folds], np.nan)
    return found


def honest_losses(losses: Floats, data: Data) -> Floats:
    """Losses (F,) of the best of the candidates (M, F), each chosen without its own fold."""
    return measured(losses, chosen_elsewhere(losses, data))


def compared(before: Floats, after: Floats, data: Data) -> Interval | None:
    """By how much the losses `after` (F,) are below `before` (F,); None without a common fold."""
    differences = gains_over(after[None], before)[0]
    return over_folds(differences, data) if np.isfinite(differences).any() else None
