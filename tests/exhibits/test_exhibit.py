"""A basis asks the questions a search asks, and a series keeps what is finished."""

from __future__ import annotations

from itertools import islice

import numpy as np

from shrinkage import data as tables
from shrinkage import tune
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.exhibits.interaction import InteractionMap
from shrinkage.network import Network


def small_basis() -> Basis:
    table, target, name = tables.open_source("moons", samples=60)
    data = tables.prepare(table, target, name=name, folds=2, repeats=1)
    training = tune.default_training(data, epochs=2)
    return Basis(data, Network(2, (4,), 1), training, seed=7)


SWEEP = CapacitySweep((1, 4), refits=2, longer=1)


def test_a_trial_of_the_search_is_the_same_trial():
    basis = small_basis()
    plan = tune.plan(
        basis.data, network=basis.network, training=basis.training, lambdas=(0.1,), seed=7, refits=2
    )
    search = tune.Search(basis.data, plan, threads=1)
    list(search)
    asked = {basis.trial(0), basis.trial(1), basis.trial(None, 0), basis.trial(None, 1)}
    assert asked <= set(search.study.trials)
    assert basis.trial(0, hidden=(5,)).seed == basis.trial(0).seed
    assert basis.trial(0, dropout=0.5).training.dropout == 0.5


def test_what_a_search_trained_is_not_trained_again():
    basis = small_basis()
    whole = Series(SWEEP, basis, threads=1)
    fits = list(whole)
    assert len(fits) == whole.expected == 8
    again = Series(SWEEP, basis, known=fits[:3], threads=1)
    assert again.expected == 5
    assert len(list(again)) == 5
    assert [fit.trial for fit in again.study.fits] == [fit.trial for fit in whole.study.fits]
    # A fit whose weights were let go cannot serve an exhibit that looks at them.
    assert Series(SWEEP, basis, known=[fit.forget() for fit in fits]).expected == 8


def test_a_series_that_is_given_up_goes_on():
    basis = small_basis()
    series = Series(SWEEP, basis, threads=1)
    seen = [fit.trial for fit in islice(series, 3)]
    assert len(series.study.fits) == 3
    assert len(series.study.missing) == 5
    rest = [fit.trial for fit in series]
    assert not set(seen) & set(rest)
    assert not series.study.missing


def test_the_same_bits_with_more_threads():
    basis = small_basis()
    one, two = (Series(SWEEP, basis, threads=threads) for threads in (1, 2))
    list(one), list(two)
    for first, second in zip(one.study.fits, two.study.fits, strict=True):
        np.testing.assert_array_equal(first.parameters, second.parameters)


def test_first_trials_tell_which_others_to_train():
    basis = small_basis()
    exhibit = InteractionMap(dropouts=(0.5,))
    series = Series(exhibit, basis, threads=1)
    looked = 2 * 13  # on both folds
    guessed = series.expected
    assert guessed == looked + 2 * 8 * 2
    fits = list(series)
    grid = [fit for fit in fits if fit.trial.training.dropout]
    assert {fit.trial.lam for fit in grid} == set(exhibit.read(series.study).lambdas)
    assert not series.study.missing
    assert len(fits) == series.expected < guessed  # what the first look has is not trained again
    assert not list(series)
    # Fits of before serve whichever stage asks for them.
    assert not list(Series(exhibit, basis, known=fits, threads=1))
