"""Who sits on the committee: recipes chosen one by one, so that their average validates best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.engine.pool import row_weights
from shrinkage.training import Training

Outputs = Sequence[NDArray[np.float32]]
"""Predictions of one recipe for the validation rows of each fold."""


def choose_members(
    recipes: Sequence[Outputs], size: int, data: Data, training: Training
) -> list[int]:
    """Pick recipes with replacement, each time the one whose vote lowers the average's loss most.

    Parameters
    ----------
    recipes : sequence of sequence of ndarray, shape (validation rows, outputs)
        For each recipe its predictions on each fold, by networks that were not trained on those
        rows.
    size : int
        Members to pick.
    data : Data
        The folds' targets.
    training : Training
        Its loss and class weights judge.

    Returns
    -------
    list of int
        Places in `recipes`, in the order of picking; a place may occur several times.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew & Ksikes (2004), "Ensemble selection from libraries of models",
    ICML, section 2.
    """
    votes = [np.concatenate([np.asarray(fold, np.float64) for fold in one]) for one in recipes]
    targets, weights = _truth(data, training)
    chosen: list[int] = []
    total = np.zeros_like(votes[0])
    for count in range(1, size + 1):
        losses = [_loss((total + vote) / count, targets, weights, training.loss) for vote in votes]
        best = int(np.nanargmin(losses))
        chosen.append(best)
        total += votes[best]
    return chosen


def _truth(data: Data, training: Training) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Targets (n, columns) of all validation rows, fold after fold, and weights with sum 1."""
    targets, weights = [], []
    for part in data.parts:
        targets.append(part.targets[part.validation].astype(np.float64))
        own = row_weights(part, training)[part.validation].astype(np.float64)
        weights.append(own / own.sum())
    mass = np.concatenate(weights)
    return np.concatenate(targets), mass / mass.sum()


def _loss(
    answers: NDArray[np.float64],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    loss: str,
) -> float:
    """Weighted mean loss of predictions; no probability counts as less than float32's least."""
    if loss == "mean_squared_error":
        return float(weights @ np.square(answers - targets).mean(axis=1))
    tiny = float(np.finfo(np.float32).tiny)
    if loss == "binary_cross_entropy":
        right = np.where(targets[:, 0] > 0.5, answers[:, 0], 1.0 - answers[:, 0])
    else:
        right = answers[np.arange(len(answers)), targets[:, 0].astype(np.int64)]
    return float(-(weights @ np.log(np.maximum(right, tiny))))
