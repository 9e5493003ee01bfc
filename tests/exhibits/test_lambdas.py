from __future__ import annotations

import numpy as np
import pytest

from shrinkage.exhibits.lambdas import around, bracket, guess
from shrinkage.penalties import L2
from shrinkage.study import Study


def test_the_guess_rests_on_the_bracket_alone(synthetic_basis, written):
    basis = synthetic_basis()
    looked = list(bracket(basis, L2()))
    assert {trial.fold for trial in looked} == {0, 1, 2}
    fits = [written(trial, 0.1, abs(np.log10(trial.lam) + 2)) for trial in looked]
    assert guess(looked, Study.of(basis.data, looked, fits, {})) == 0.01
    # Other fits of the study, however good, do not move it.
    others = [basis.trial(fold, penalty=L2(), lam=0.1) for fold in basis.folds[3:]]
    others += [basis.trial(0, penalty=L2(), lam=0.5)]
    more = [written(trial, 0.1, -9.0) for trial in others]
    study = Study.of(basis.data, [*looked, *others], [*fits, *more], {})
    assert guess(looked, study) == 0.01


@pytest.mark.parametrize(("optimum", "found"), [(-9, 1e-4), (9, 10.0)])
def test_the_guess_stays_where_a_penalty_does_something(synthetic_basis, written, optimum, found):
    looked = list(bracket(synthetic_basis(), L2()))
    fits = [written(trial, 0.1, abs(np.log10(trial.lam) - optimum)) for trial in looked]
    assert guess(looked, Study.of(synthetic_basis().data, looked, fits, {})) == found


def test_a_lambda_that_diverged_or_is_missing_on_a_fold_is_no_guess(synthetic_basis, written):
    basis = synthetic_basis()
    looked = list(bracket(basis, L2()))
    fits = [
        written(trial, 0.1, np.nan if trial.lam == 0.01 and trial.fold == 1 else trial.lam)
        for trial in looked
        if trial.lam >= 0.01
    ]
    assert guess(looked, Study.of(basis.data, looked, fits, {})) == 0.0316
    assert guess(looked, Study.of(basis.data, looked, [], {})) is None


def test_half_powers_lie_around_the_nearest_one():
    assert around(0.03, 1, 1) == [0.01, 0.0316, 0.1]
