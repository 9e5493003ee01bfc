"""A joint search from fits of before: the same results to the bit, and nothing trained twice."""

from itertools import islice

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError
from shrinkage.network import Network
from shrinkage.tune import default_training, plan
from shrinkage.tune.joint import PENALTIES, Budget, JointSearch
from shrinkage.tune.joint.clock import Clock

FITS = 90


@pytest.fixture(name="data", scope="module")
def data_fixture():
    table, target = bundled("moons", samples=120, noise=0.3)
    return prepare(table, target, name="moons", folds=4, repeats=1)


def search(data, budget=None, **settings):
    planned = plan(
        data,
        network=Network(2, (16,)),
        training=default_training(data, epochs=6),
        penalties=PENALTIES,
        refits=2,
    )
    return JointSearch(data, planned, budget=budget or Budget(fits=FITS), committee=3, **settings)


@pytest.fixture(name="whole", scope="module")
def whole_fixture(data):
    """A search from beginning to end, and every fit in the order of coming."""
    finished = search(data, threads=2)
    fits = {fit.trial: fit for fit in finished}
    return finished, fits


def outcome(search):
    joint = search.joint
    return (
        [(one.number, one.candidate, one.scores.tobytes()) for one in joint.tried],
        search.best,
        joint.fits,
        [fit.parameters.tobytes() for fit in joint.members],
        [(one.ingredient, str(one.help), one.folds) for one in joint.ablations],
        [(fit.trial, fit.train_loss.tobytes()) for fit in search.study.fits],
        dict(search.study.names),
    )


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95, 1.0])
def test_it_goes_on_to_the_same_bits_and_trains_what_is_missing(data, whole, share):
    finished, fits = whole
    some = dict(list(fits.items())[: int(share * len(fits))])
    again = search(data, done=some)
    new = [fit.trial for fit in again]
    assert set(new) == fits.keys() - some.keys()
    assert len(new) == len(set(new))
    assert again.before == len(some)
    assert outcome(again) == outcome(finished)


def test_fits_of_folds_may_come_without_their_weights(data, whole):
    finished, fits = whole
    light = {t: fit if t.fold is None else fit.forget() for t, fit in fits.items()}
    again = search(data, done=light)
    assert list(again) == []
    assert outcome(again) == outcome(finished)


def test_what_is_known_can_be_recalled_without_training(data, whole):
    finished, fits = whole
    again = search(data, done=fits, before=finished.seconds, seats=finished.seats)
    again.recall()
    assert outcome(again) == outcome(finished)
    assert again.joint.seconds == finished.joint.seconds


@pytest.mark.parametrize("count", [0, 1, 3, 4, 20, 60])
def test_recalling_an_interrupted_search_shows_what_it_had(data, count):
    given_up = search(data)
    some = {fit.trial: fit for fit in islice(iter(given_up), count)}
    again = search(data, done=some)
    again.recall()
    assert outcome(again)[:2] == outcome(given_up)[:2]
    assert {fit.trial for fit in again.study.fits} == {fit.trial for fit in given_up.study.fits}


def test_a_search_in_time_is_recalled_as_it_was(data):
    ticks = iter(range(10**9))
    finished = search(data, Budget(seconds=600.0), clock=lambda: float(next(ticks)))
    fits = {fit.trial: fit for fit in finished}
    assert len(fits) < 600
    again = search(
        *(data, Budget(seconds=600.0)),
        done=fits,
        before=finished.seconds,
        seats=finished.seats,
    )
    again.recall()
    assert outcome(again) == outcome(finished)
    assert again.joint.seconds == finished.joint.seconds


def test_the_time_of_earlier_runs_is_part_of_the_budget(data, whole):
    _, fits = whole
    over = search(data, Budget(seconds=60.0), done=fits, before=60.0)
    assert list(over) == []  # the time is up, and what is known answers
    assert over.best is not None
    assert over.joint.seconds == 60.0


def test_a_larger_budget_goes_on(data, whole):
    _, fits = whole
    wider = search(data, Budget(fits=150), done=fits)
    new = {fit.trial for fit in wider}
    assert new
    assert not new & fits.keys()
    assert outcome(wider) == outcome(search_of_budget(data, 150))


def search_of_budget(data, fits):
    found = search(data, Budget(fits=fits))
    list(found)
    return found


def test_a_storage_and_fits_exclude_each_other(data, whole, tmp_path):
    with pytest.raises(SettingError, match="exclude each other"):
        search(data, done=whole[1], storage=str(tmp_path / "kept.log"))


def test_the_clock_counts_what_is_taken_up_and_then_all_of_before():
    now = iter([10.0, 12.0, 13.0, 14.0])
    clock = Clock(lambda: next(now), before=30.0)
    assert clock.elapsed == 0.0
    clock.start()  # at 10
    clock.take_up(5.0)
    assert clock.elapsed == 7.0
    clock.go_on()
    assert clock.elapsed == 33.0
    assert clock.own == 4.0
    assert np.isclose(clock.earlier, 30.0)
