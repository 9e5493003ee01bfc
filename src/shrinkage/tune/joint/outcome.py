"""What a ledger says so far: the study that is read on, and the record of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shrinkage.study import Fit, Study, Trial
from shrinkage.tune.joint.ablation import ablations
from shrinkage.tune.joint.budget import Budget
from shrinkage.tune.joint.entry import Entry
from shrinkage.tune.joint.ledger import Ledger
from shrinkage.tune.joint.record import Joint, Tried
from shrinkage.tune.search import versions


def study_so_far(ledger: Ledger, refits: int, screened: int) -> Study:
    """The base, every complete candidate and the refits; points of their own penalty and λ.

    Parameters
    ----------
    ledger : Ledger
        What was asked and answered.
    refits : int
        Of the base and of the best candidate, that are shown.
    screened : int
        Folds that decided which candidates went on.

    Returns
    -------
    Study
        Of candidates that share penalty and λ the best stands for all.
    """
    leader = ledger.leader()
    shown: dict[tuple[Any, float], Entry] = {}
    for entry in ledger.complete:
        point = (entry.candidate.penalty, entry.candidate.lam)
        if not ledger.has_fits(entry):
            continue
        if point not in shown or ledger.better(entry, shown[point]):
            shown[point] = entry
    candidates = [ledger.base, *(entry.candidate for entry in shown.values())]
    trials = [ledger.trial(candidate, fold) for candidate in candidates for fold in ledger.folds]
    shared = [ledger.base] if leader is None else [ledger.base, leader.candidate]
    trials += [
        trial
        for candidate in shared
        for draw in range(refits)
        if (trial := ledger.trial(candidate, None, draw)) in ledger.trials
    ]
    names = {
        point: "the best recipe" if entry is leader else f"recipe {entry.number + 1}"
        for point, entry in shown.items()
    }
    found = Study.of(ledger.data, dict.fromkeys(trials), ledger.fits.values(), versions())
    return replace(found, names=names, screened=screened)


def joint_so_far(
    ledger: Ledger,
    screened: int,
    again: Mapping[str, dict[int, Fit]],
    members: Sequence[Trial],
    *,
    seconds: float,
    budget: Budget,
) -> Joint:
    """The record of what was tried and found.

    Parameters
    ----------
    ledger : Ledger
        What was asked and answered.
    screened : int
        Folds that decided which candidates went on.
    again : mapping of str to dict of int to Fit
        Of the ablation: ingredient → fold → fit without it.
    members : sequence of Trial
        Refits of the committee, as far as there are any.
    seconds, budget
        As :class:`Joint` has them.
    """
    tried = tuple(
        Tried(
            entry.number,
            entry.candidate,
            entry.by_fold(len(ledger.folds)),
            complete=len(entry.scores) == len(ledger.folds) and np.isfinite(entry.mean()),
        )
        for entry in ledger.entries
        if entry.scores
    )
    leader = ledger.leader()
    best = next((one for one in tried if leader and one.number == leader.number), None)
    scores = [ledger.score_of(ledger.trial(ledger.base, fold)) for fold in ledger.folds]
    measured = {ingredient: ledger.by_fold(fits) for ingredient, fits in again.items()}
    return Joint(
        data=ledger.data,
        metric=ledger.metric,
        base=ledger.base,
        base_scores=np.array(scores),
        tried=tried,
        best=best,
        pruned_on=screened,
        ablations=()
        if best is None
        else ablations(best.candidate, ledger.base, measured, ledger.data, ledger.sign),
        members=tuple(ledger.fits[trial] for trial in members if trial in ledger.fits),
        fits=ledger.count,
        seconds=seconds,
        budget=budget,
    )
