"""What is counted in a file is what its study says."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console, Group

from shrinkage.archive import StudyFile, summary
from shrinkage.engine.limits import given_up
from shrinkage.study import Status
from shrinkage.terminal.studies import shown


def text_of(found):
    console = Console(file=StringIO(), width=200)
    console.print(Group(*shown(found)))
    return console.file.getvalue()


def name_of(penalty):
    return "no penalty" if penalty is None else penalty.label


def test_the_best_of_each_penalty_is_that_of_the_study(complete, data, plan, wider):
    complete.run(data, wider(plan))
    fits = complete.study.fold_fits
    for line in summary(complete.path).lines:
        own = [fit for fit in fits if name_of(fit.trial.penalty) == line.penalty]
        loss = {
            lam: float(np.mean([fit.final_validation_loss for fit in own if fit.trial.lam == lam]))
            for lam in {fit.trial.lam for fit in own}
        }
        assert (line.strengths, line.least, line.most) == (len(loss), min(loss), max(loss))
        assert line.best == min(loss, key=loss.__getitem__)
        assert line.loss == pytest.approx(loss[line.best], rel=1e-12)


@pytest.mark.parametrize("status", [Status.DIVERGED, Status.OUT_OF_TIME, Status.LOST])
def test_whatever_failed_is_counted_and_never_best(
    keeper, data, plan, run_of, uninterrupted, status
):
    whole = [fit for fit in uninterrupted(data, plan).fold_fits if fit.trial.penalty is not None]
    best = summary_of(keeper, data, run_of(plan), whole).lines[0].best
    broken = [
        given_up(fit.trial, data.part(fit.trial.fold), status)
        if (fit.trial.lam, fit.trial.fold) == (best, 0)
        else fit
        for fit in whole
    ]
    keeper.path.unlink()
    found = summary_of(keeper, data, run_of(plan), broken)
    assert (found.finished, found.failed) == (4, 1)
    assert sum(not fit.ok for fit in keeper.study.fits) == 1
    assert "4 of 4 planned so far, 1 failed." in text_of(found)
    assert found.lines[0].best in set(plan.lambdas) - {best}


def summary_of(keeper, data, run, fits):
    with StudyFile(keeper.path) as file:
        file.begin(data, run)
        for fit in fits:
            file.add(fit, [fit.trial], "path")
        file.finish(complete=True)
    return summary(keeper.path)


def test_a_strength_seen_on_fewer_folds_is_not_best(keeper, data, plan, run_of, uninterrupted):
    whole = [fit for fit in uninterrupted(data, plan).fold_fits if fit.trial.penalty is not None]
    low = plan.lambdas[0]
    some = [
        replace(fit, validation_loss=0 * fit.validation_loss) if fit.trial.lam == low else fit
        for fit in whole
        if (fit.trial.lam, fit.trial.fold) != (low, 1)
    ]
    (line,) = summary_of(keeper, data, run_of(plan), some).lines
    assert (line.strengths, line.fits, line.best) == (2, 3, plan.lambdas[1])
