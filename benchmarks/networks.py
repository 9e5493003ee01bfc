"""This package's methods on an outer split: no regularizer, one alone, and the joint search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.budget import Budget
from benchmarks.outer import Labels, Outer
from shrinkage.data import Data
from shrinkage.engine.pool import predict, train
from shrinkage.network import Network
from shrinkage.penalties import L1, L2, Penalty
from shrinkage.scores import score
from shrinkage.study import Fit, Trial
from shrinkage.training import Training
from shrinkage.tune import Search, default_training, plan, select

UNREGULARIZED = (
    "two hidden layers of 128, ReLU, Adam, cosine schedule, the package's default epochs and batch "
    "size, balanced class weights; mean score of 3 seeds"
)
_ALONE = (
    "the unregularized network with {what}, chosen by balanced accuracy over the inner folds; "
    "mean score of 3 seeds"
)
L2_ONLY = _ALONE.format(what="L2, λ on the package's automatic path")
L1_ONLY = _ALONE.format(what="L1, λ on the package's automatic path")
DROPOUT_ONLY = _ALONE.format(what="dropout of one rate from 0 to 0.8 in every hidden layer")
TUNE_ALL = (
    "the package's joint search with its defaults, around the unregularized network, chosen by "
    "balanced accuracy over the inner folds; the mean prediction of its refits"
)

SEEDS = 3
RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
METRIC = "balanced_accuracy"

Answer = tuple[list[Labels], dict[str, Any]]


def unregularized(outer: Outer, _: Budget) -> Answer:
    """The network that the others are compared with."""
    data = outer.data
    return _refits(data, _training(data), None, 0.0), {}


def l2_only(outer: Outer, _: Budget) -> Answer:
    """L2 with its strength from the package's search."""
    return _penalty_only(outer.data, L2())


def l1_only(outer: Outer, _: Budget) -> Answer:
    """L1 with its strength from the package's search."""
    return _penalty_only(outer.data, L1())


def dropout_only(outer: Outer, _: Budget) -> Answer:
    """Dropout with its rate from the inner folds."""
    data = outer.data
    plain = _training(data)
    trials = [
        Trial(_network(data, fold), replace(plain, dropout=rate), None, 0.0, fold, seed=fold)
        for rate in RATES
        for fold in range(len(data.parts))
    ]
    scores: dict[float, list[float]] = {rate: [] for rate in RATES}
    for fit in train(trials, data):
        scores[fit.trial.training.dropout].append(score(METRIC, fit, data))
    means = {rate: float(np.nanmean(of_rate)) for rate, of_rate in scores.items()}
    best = max(means, key=lambda rate: means[rate])
    predicted = _refits(data, replace(plain, dropout=best), None, 0.0)
    return predicted, {"dropout": best, "inner": round(means[best], 4)}


def tune_all(outer: Outer, budget: Budget) -> Answer:
    """The joint search within the budget; the average of its refits answers."""
    from shrinkage.tune import joint

    data = outer.data
    wanted = plan(
        data,
        training=_training(data),
        penalties=joint.PENALTIES,
        metric=METRIC,
        seed=outer.split,
    )
    search = joint.JointSearch(
        data, wanted, budget=joint.Budget(seconds=budget.seconds), clock=budget.clock
    )
    for _ in search:
        pass
    best, found = search.best, search.joint
    assert best is not None
    outputs = [
        predict(fit.trial.network, fit.parameters, data.test.inputs, data.loss)
        for fit in found.members
        if fit.ok
    ]
    chosen = best.differences(search.base)
    inner = None if found.best is None else round(float(np.mean(found.best.scores)), 4)
    counts = {"tried": len(found.tried), "fits": found.fits, "committee": len(outputs)}
    return [_classes(np.mean(outputs, axis=0), data)], {**chosen, **counts, "inner": inner}


def _training(data: Data, **settings: Any) -> Training:
    return default_training(data, class_weight="balanced", **settings)


def _network(data: Data, fold: int | None = None) -> Network:
    return Network(data.part(fold).n_inputs, outputs=data.n_outputs)


def _penalty_only(data: Data, penalty: Penalty) -> Answer:
    """The search along λ; its choice may be no penalty."""
    search = Search(
        data,
        plan(data, training=_training(data), penalties=(penalty,), metric=METRIC, refits=SEEDS),
    )
    for _ in search:
        pass
    choice = select(search.study, "minimum", METRIC).point
    fits = [
        fit
        for fit in search.study.fits
        if fit.trial.fold is None
        and (fit.trial.penalty, fit.trial.lam) == (choice.penalty, choice.lam)
    ]
    found = {"λ": choice.lam, "inner": round(choice.mean_score, 4)}
    return [_predicted(fit, data) for fit in fits], found


def _refits(data: Data, training: Training, penalty: Penalty | None, lam: float) -> list[Labels]:
    trials = [
        Trial(_network(data), training, penalty, lam, None, 1_000 + seed) for seed in range(SEEDS)
    ]
    return [_predicted(fit, data) for fit in train(trials, data)]


def _predicted(fit: Fit, data: Data) -> Labels:
    """Classes of the outer test rows."""
    return _classes(predict(fit.trial.network, fit.parameters, data.test.inputs, data.loss), data)


def _classes(outputs: NDArray[np.floating[Any]], data: Data) -> Labels:
    predicted = outputs[:, 0] > 0.5 if data.task == "binary" else outputs.argmax(axis=1)
    return np.asarray(predicted, dtype=np.int64)
