"""Seeds as folds of one study, and what detection says of the network trained at any λ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shrinkage.detect import Diagnosis, diagnose
from shrinkage.lesson.toys import pooled
from shrinkage.study import Study


def side_by_side(studies: Sequence[Study]) -> Study:
    """The seeds as folds of one study, which share no row."""
    data = pooled([study.data for study in studies])
    fits = [
        replace(fit, trial=replace(fit.trial, fold=place))
        for place, study in enumerate(studies)
        for fit in study.fits
    ]
    return Study.of(data, [fit.trial for fit in fits], fits, studies[0].versions)


def verdict_at(study: Study, lam: float) -> Diagnosis:
    """What detection says of the network trained at a λ.

    Detection judges the network without a penalty, and calls it overfitted also where one of the
    penalties tried validates better. Here the network at this λ takes its place, as if the penalty
    were a part of its training (losses are free of it all the same), and larger λ are what was
    tried.
    """
    taking = [
        replace(fit, trial=replace(fit.trial, penalty=None, lam=0.0))
        if fit.trial.lam == lam
        else fit
        for fit in study.fits
        if fit.trial.lam >= lam
    ]
    return diagnose(Study.of(study.data, [fit.trial for fit in taking], taking, study.versions))
