from dataclasses import replace

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.network import Network
from shrinkage.penalties import L1
from shrinkage.study import Fit, Status, Study, Trial
from shrinkage.training import Training

TRIAL = Trial(Network(2, (2,)), Training("binary_cross_entropy"), L1(), 0.1, 0, 1)


@pytest.fixture(scope="module")
def data():
    table, target = bundled("moons", samples=40)
    return prepare(table, target, name="moons", folds=2, repeats=1)


def fit_of(trial, **changes):
    parameters = np.array([0, 1, 0, 2, 5, 5, 5, 5, 5], np.float32)
    plain = Fit(
        trial, parameters, np.array([1, 2]), np.array([0.6, 0.5]), np.array([0.7, 0.65]), 0.45,
        np.zeros((3, 1), np.float32), Status.COMPLETED, 2,
    )  # fmt: skip
    return replace(plain, **changes)


def test_trials_are_plain_data():
    assert replace(TRIAL) == TRIAL
    assert len({TRIAL, replace(TRIAL), replace(TRIAL, lam=0.2)}) == 2
    assert eval(repr(TRIAL), {**globals()}) == TRIAL


def test_sparsity_is_the_share_of_penalized_weights_that_are_zero():
    assert fit_of(TRIAL).sparsity == 0.5
    assert fit_of(TRIAL).final_validation_loss == 0.65


def test_a_status_is_a_sentence():
    assert fit_of(TRIAL).message == "trained for all its epochs"
    lost = fit_of(TRIAL, status=Status.DIVERGED, stopped_at=41)
    assert lost.message.startswith("diverged at epoch 41: the loss stopped being finite")
    assert not lost.ok


def test_fits_are_ordered_as_planned_and_the_missing_are_known(data):
    trials = [replace(TRIAL, fold=fold) for fold in (0, 1, None)]
    fits = [fit_of(trials[2]), fit_of(trials[0], status=Status.DIVERGED)]
    study = Study.of(data, trials, fits, {})
    assert [fit.trial for fit in study.fits] == [trials[0], trials[2]]
    assert study.missing == (trials[1],)
    assert study.fold_fits == (study.fits[0],) == study.diverged
    assert study.refits == (study.fits[1],)


def test_a_forgotten_fit_keeps_what_the_path_shows():
    fit = fit_of(TRIAL)
    forgotten = fit.forget()
    assert forgotten.parameters.size == 0
    assert (forgotten.sparsity, forgotten.spread) == (fit.sparsity, fit.spread)
    assert forgotten.forget().spread == fit.spread
