"""Losses fold by fold, and the gain of a choice on the folds that did not choose it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.intervals import Interval, corrected_interval
from shrinkage.penalties import Penalty
from shrinkage.scores import usable
from shrinkage.study import Fit, Study
from shrinkage.training import Training

Floats = NDArray[np.float64]
Point = tuple[Penalty | None, float]
_ROUNDING = 1e-6


def point_of(fit: Fit) -> Point:
    """Penalty and λ of a fit; (None, 0) without one."""
    trial = fit.trial
    return (None, 0.0) if trial.penalty is None or trial.lam == 0.0 else (trial.penalty, trial.lam)


def validation_losses(study: Study) -> dict[Point, Floats]:
    """Final validation loss of each point on each fold, (F,) with NaN where a fit is missing."""
    groups: dict[Point, list[Fit]] = defaultdict(list)
    for fit in study.fold_fits:
        groups[point_of(fit)].append(fit)
    return {
        point: by_fold(fits, study.data, lambda fit: fit.final_validation_loss)
        for point, fits in groups.items()
    }


def by_fold(fits: Iterable[Fit], data: Data, quantity: Callable[[Fit], float]) -> Floats:
    """Mean over the seeds of a fold's fits, (F,), of those that are usable."""
    sums, counts = np.zeros(len(data.parts)), np.zeros(len(data.parts))
    for fit in fits:
        if fit.trial.fold is not None and usable(fit):
            sums[fit.trial.fold] += quantity(fit)
            counts[fit.trial.fold] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def validation_curves(fits: Iterable[Fit], data: Data) -> tuple[NDArray[np.int64], Floats]:
    """Epochs (E,) and the validation loss at each, (E, F), averaged over a fold's seeds."""
    good = [fit for fit in fits if fit.trial.fold is not None and usable(fit)]
    # Folds that differ by a row may have been evaluated at different epochs.
    epochs = reduce(np.intersect1d, [fit.epochs for fit in good])
    curves = np.full((epochs.size, len(data.parts)), np.nan)
    for fold in {fit.trial.fold for fit in good}:
        of_fold = [
            fit.validation_loss[np.isin(fit.epochs, epochs)]
            for fit in good
            if fit.trial.fold == fold
        ]
        curves[:, fold] = np.mean(of_fold, axis=0)
    return epochs, curves


def gains_over(candidates: Floats, baseline: Floats) -> Floats:
    """By how much each candidate's losses (M, F) are below the baseline's (F,).

    Losses come from float32 arithmetic: those that differ by its rounding alone are equal.
    """
    found = baseline - candidates
    return np.where(np.abs(found) <= _ROUNDING * np.abs(baseline), 0.0, found)


def over_folds(differences: Floats, data: Data) -> Interval:
    """Mean of the differences (F,) that exist, with the interval for shared training rows."""
    used = np.isfinite(differences)
    return corrected_interval(differences[used], *data.overlap(used))


def best_of(gains: Floats) -> int | None:
    """Candidate with the greatest mean gain (M, F) among those seen on the most folds."""
    seen = np.isfinite(gains).sum(axis=1)
    if seen.size == 0 or seen.max() == 0:
        return None
    means = np.nansum(gains, axis=1) / np.maximum(seen, 1)
    return int(np.argmax(np.where(seen == seen.max(), means, -np.inf)))


def honest_gain(
    gains: Floats, data: Data, measures: NDArray[np.bool_] | None = None
) -> Interval | None:
    """Gain of the best candidate, measured on folds that had no part in choosing it.

    The best of many candidates looks better than it is on the rows that chose it. So the gain on a
    fold is that of the candidate which is best on the OTHER folds of the same repeat; their
    validation rows are disjoint from the fold's own. The mean is then free of the bias of choosing
    (the tests simulate it); its interval is that of Nadeau & Bengio.

    Parameters
    ----------
    gains : ndarray of float, shape (M, F)
        Baseline's loss − candidate's loss on each fold; NaN where either is missing.
    data : Data
        The folds.
    measures : ndarray of bool, shape (F,), optional
        Folds to measure on; all by default. Others only help to choose.

    Returns
    -------
    Interval or None
        None when nothing can be compared. Unbounded when only one fold of a repeat has losses, so
        that choice and measurement share it.

    References
    ----------
    Varma & Simon (2006), "Bias in error estimation when using cross-validation for model
    selection", BMC Bioinformatics 7:91, for choosing without the fold that measures.
    """
    best = best_of(gains)
    if best is None:
        return None
    folds = np.arange(gains.shape[1])
    repeats = folds // data.folds
    measured = np.full(folds.size, np.nan)
    for fold in folds:
        others = (repeats == repeats[fold]) & (folds != fold)
        # Only candidates that the fold itself can measure.
        measurable = np.flatnonzero(np.isfinite(gains[:, fold]))
        chosen = best_of(gains[np.ix_(measurable, others)])
        if chosen is not None:
            measured[fold] = gains[measurable[chosen], fold]
    if measures is not None:
        measured[~measures] = np.nan
    if np.isfinite(measured).any():
        return over_folds(measured, data)
    return Interval(float(np.nanmean(gains[best])), -np.inf, np.inf)


def loss_name(data: Data, training: Training) -> str:
    """What losses are called: ``"log loss"``, also class-weighted, or ``"mean squared error"``."""
    if data.task == "regression":
        return "mean squared error"
    return "log loss" if training.class_weight == "none" else "class-weighted log loss"


def constant_loss(data: Data, training: Training) -> float:
    """Loss of the best constant prediction on the training rows, weighted as the training is.

    Parameters
    ----------
    data : Data
        Targets and sample weights.
    training : Training
        Its class weights count too.

    Returns
    -------
    float
        Entropy of the class shares in nats, or the variance of the standardized targets.
    """
    part = data.full
    rows = part.train
    weights = part.weights[rows].astype(np.float64)
    targets = part.targets[rows].astype(np.float64)
    if data.task == "regression":
        centre = np.average(targets, axis=0, weights=weights)
        return float(np.average(np.square(targets - centre), axis=0, weights=weights).mean())
    classes = targets[:, 0].astype(np.int64)
    masses = np.bincount(classes, weights).astype(np.float64)
    if training.class_weight == "balanced":
        masses /= np.maximum(np.bincount(classes), 1)
    shares = masses[masses > 0] / masses.sum()
    return float(-(shares * np.log(shares)).sum())
