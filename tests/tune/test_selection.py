"""The rules, on losses written down, and their edge cases."""

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.errors import ShrinkageError
from shrinkage.penalties import L2
from shrinkage.study import Study
from shrinkage.tune import Search, candidates, select


def with_losses(study, losses):
    """The study with the validation losses of its points replaced, fold by fold."""
    fits = tuple(
        replace(
            fit,
            validation_loss=np.array([losses[fit.trial.lam][fit.trial.fold]]),
            epochs=np.array([1]),
            train_loss=np.array([0.1]),
        )
        for fit in study.fold_fits
        if fit.trial.lam in losses
    )
    return Study(study.data, tuple(fit.trial for fit in fits), fits)


@pytest.fixture(scope="module")
def grid(data, short_plan):
    search = Search(data, short_plan(data, lambdas=(0.01, 0.1, 1.0), penalties=(L2(),)))
    list(search)
    return search.study


def test_the_two_rules(grid):
    study = with_losses(
        grid, {0.0: [3, 3, 3], 0.01: [1.0, 1.2, 1.4], 0.1: [1.1, 1.3, 1.5], 1.0: [2, 2, 2]}
    )
    assert select(study, "minimum").point.lam == 0.01
    # 0.1 lies 0.1 above the minimum, whose standard error is 0.2/√3 = 0.115.
    assert select(study, "one_standard_error").point.lam == 0.1
    assert "against 3.00 nats without a penalty" in select(study).sentence


def test_no_penalty_is_a_candidate(grid):
    study = with_losses(grid, {0.0: [1, 1, 1], 0.01: [2, 2, 2], 1.0: [3, 3, 3]})
    choice = select(study)
    assert choice.point.penalty is None
    assert choice.runner_up == L2()
    assert choice.sentence.startswith("No penalty")


def test_a_metric_of_which_more_is_better(grid):
    best = select(grid, metric="accuracy").point
    assert best.mean_score == max(point.mean_score for point in candidates(grid, "accuracy"))


def test_nothing_finished(grid):
    with pytest.raises(ShrinkageError, match="nothing to choose from"):
        select(Study(grid.data, grid.trials, ()))
