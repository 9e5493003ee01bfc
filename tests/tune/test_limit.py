"""A time that each training may take: what is given up, what stands, and what is tried again."""

import re
from dataclasses import replace

import pytest

from shrinkage.errors import ShrinkageError
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.penalties import L2
from shrinkage.study import Status
from shrinkage.tune import Search, select


@pytest.fixture
def quick(data, short_plan):
    """No penalty and two λ of L2 on three folds, with a refit."""
    found = short_plan(data, penalties=(L2(),), lambdas=(0.01, 0.1), refits=1, relax=False)
    return replace(found, training=replace(found.training, epochs=5))


def strong(trial):
    return trial.lam == 0.1


def statuses(search):
    return {fit.trial: fit.status for fit in search.study.fits}


def test_what_takes_too_long_is_given_up_and_the_rest_is_as_without_a_limit(data, quick, endless):
    whole = Search(data, quick)
    list(whole)
    endless(strong)
    search = Search(data, quick, limit=1.0)
    list(search)
    assert {fit.trial.lam for fit in search.study.failed} == {0.1}
    for fit in search.study.failed:
        assert (fit.status, fit.seconds) == (Status.OUT_OF_TIME, 1.0)
    losses = {fit.trial: fit.final_validation_loss for fit in whole.study.fold_fits}
    for fit in search.study.fold_fits:
        if fit.trial.lam != 0.1:
            assert fit.final_validation_loss == losses[fit.trial]
    assert select(search.study).point.lam != 0.1


@pytest.mark.parametrize(
    ("limit", "again"), [(1.0, False), (0.5, False), (600.0, True), (None, True)]
)
def test_going_on_tries_again_what_may_take_longer_now(data, quick, endless, limit, again):
    endless(strong)
    first = Search(data, quick, limit=1.0)
    list(first)
    endless(lambda _: False)
    given_up = {fit.trial for fit in first.study.failed}
    assert len(given_up) == 3
    done = {fit.trial: fit for fit in first.study.fits}
    second = Search(data, quick, limit=limit, done=done)
    assert second.before == len(done) - (len(given_up) if again else 0)
    trained = {fit.trial for fit in second}
    assert given_up <= trained if again else not given_up & trained
    assert bool(second.study.failed) is not again


def test_what_was_lost_with_its_worker_is_tried_again(data, quick):
    first = Search(data, quick)
    done = {fit.trial: fit for fit in first}
    lost = next(iter(done))
    done[lost] = replace(done[lost], status=Status.LOST)
    assert [fit.trial for fit in Search(data, quick, done=done)] == [lost]


def test_a_search_in_which_nothing_ends_is_over_after_its_first_stage(data, short_plan, endless):
    endless(lambda _: True)
    search = Search(data, short_plan(data, penalties=(L2(),)), limit=0.1)
    with pytest.raises(ShrinkageError, match="all 8 fits so far ran out of time; allow more"):
        list(search)


def test_an_exhibit_leaves_out_what_takes_too_long(data, quick, endless):
    endless(lambda trial: trial.network.hidden == (8,))
    basis = Basis(data, quick.network, quick.training)
    series = Series(CapacitySweep((2, 4, 8)), basis, limit=1.0)
    list(series)
    record = series.exhibit.read(series.study)
    assert {fit.trial.network.hidden for fit in series.study.failed} == {(8,)}
    said = " ".join(record.notes)
    assert "diverged" not in said
    assert re.search(r"\d of \d+ networks ran out of time and are left out", said)
