"""Trainings in other processes: the same bits, rows sent once, nothing lost and nothing twice."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from joblib.externals.loky import ProcessPoolExecutor as LokyExecutor

from shrinkage.engine import batches, elsewhere
from shrinkage.engine.batches import Answer, Rows, compute
from shrinkage.engine.elsewhere import Lost
from shrinkage.engine.limits import given_up, run_within
from shrinkage.engine.pool import Interrupted, train
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.network import Network
from shrinkage.penalties import L1
from shrinkage.study import Status, Trial
from shrinkage.training import Training

TRAINING = Training("binary_cross_entropy", epochs=4, batch_size=16)
NETWORK = Network(3, (8,))
ENDLESS = replace(TRAINING, epochs=50_000_000)


def trial(seed=0, fold=0, training=TRAINING, lam=0.01):
    return Trial(NETWORK, training, L1(), lam, fold, seed)


TRIALS = [trial(seed, fold) for seed in range(12) for fold in (0, 1, 2, None)]


def bits(fits):
    found = [
        (fit.trial, fit.parameters.tobytes(), fit.train_loss.tobytes(), fit.outputs.tobytes())
        for fit in fits
    ]
    assert len({trial for trial, *_ in found}) == len(found)
    return set(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")),
        lambda: LokyExecutor(2),
    ],
    ids=["processes", "loky"],
)
def test_processes_give_the_bits_of_threads(make_data, make):
    data = make_data()
    with make() as executor:
        found = bits(train(TRIALS, data, executor=executor))
    assert found == bits(train(TRIALS, data, threads=2))


class Inside:
    """An executor that computes at once, and counts what it is given."""

    _max_workers = 2

    def __init__(self):
        self.rows = []
        self.trials = []

    def submit(self, fn, batch, *rows):
        self.rows += rows
        self.trials.append(len(batch.trials))
        future = Future()
        try:
            future.set_result(fn(batch, *rows))
        except Exception as error:  # noqa: BLE001  # goes to who asked
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def forgotten():
    batches._ROWS.clear()


def test_rows_go_to_a_worker_once(make_data):
    data = make_data()
    executor = Inside()
    assert bits(train(TRIALS, data, executor=executor)) == bits(train(TRIALS, data, threads=1))
    (sent,) = executor.rows
    assert sent.parts == data.by_fold


def test_batches_grow_to_a_seconds_work_and_shrink_at_the_end(make_data):
    executor = Inside()
    many = [trial(seed) for seed in range(400)]
    assert len(list(train(many, make_data(), executor=executor))) == 400
    assert executor.trials[0] == 1
    assert 4 < max(executor.trials) <= 100
    assert executor.trials[-1] == 1


class Losing(Inside):
    """A site that loses batches, by what a function says of each."""

    workers, ahead, light = 2, 2, False

    def __init__(self, loses):
        super().__init__()
        self.loses = loses
        self.renewed = 0
        self.computed = Counter()

    def send(self, batch, rows):
        future = Future()
        lost = self.loses(batch)
        if lost is None:
            self.computed.update(batch.trials)
            future.set_result(compute(batch, rows))
        else:
            future.set_exception(lost)
        return future

    def renew(self):
        self.renewed += 1


def test_what_is_lost_with_a_worker_is_computed_again_and_comes_once(make_data):
    data, rng, lost = make_data(), np.random.default_rng(3), Counter()

    def loses(batch):
        # Four times a trial: among others twice, and twice alone, which is not yet its fault.
        if rng.random() > 0.6 or any(lost[trial] == 4 for trial in batch.trials):
            return None
        lost.update(batch.trials)
        return Lost(deadly=bool(rng.random() < 0.3))

    site = Losing(loses)
    assert bits(train(TRIALS, data, executor=site)) == bits(train(TRIALS, data, threads=1))
    assert set(site.computed.values()) == {1}
    assert site.renewed > 0


def test_a_trial_that_kills_its_worker_again_and_again_is_named_and_the_others_finish(make_data):
    poison = TRIALS[7]
    site = Losing(lambda batch: Lost(deadly=True) if poison in batch.trials else None)
    fits = {fit.trial: fit for fit in train(TRIALS, make_data(), executor=site)}
    assert len(fits) == len(TRIALS)
    assert [fit.trial for fit in fits.values() if not fit.ok] == [poison]
    assert fits[poison].status is Status.LOST
    assert "worker that trained it died" in fits[poison].message


class Together(Losing):
    """Where a trial takes down all that is under way with it."""

    def __init__(self, poison):
        super().__init__(None)
        self.poison = poison
        self.under_way = []
        self.lock = threading.Lock()

    def send(self, batch, rows):
        future = Future()
        with self.lock:
            self.under_way.append((batch, rows, future))
        threading.Timer(0.01, self.end).start()
        return future

    def end(self):
        with self.lock:
            ended, self.under_way = self.under_way, []
        dies = any(self.poison in batch.trials for batch, _, _ in ended)
        for batch, rows, future in ended:
            if dies:
                future.set_exception(Lost(deadly=False))
            else:
                self.computed.update(batch.trials)
                future.set_result(compute(batch, rows))


def test_whoever_is_under_way_with_a_trial_that_kills_is_not_blamed(make_data):
    data, poison = make_data(), TRIALS[0]
    site = Together(poison)
    fits = {fit.trial: fit for fit in train(TRIALS, data, executor=site)}
    assert len(fits) == len(TRIALS)
    assert [fit.trial for fit in fits.values() if not fit.ok] == [poison]
    assert set(site.computed.values()) == {1}


def test_a_site_that_loses_everything_is_given_up(make_data):
    with pytest.raises(ShrinkageError, match="lost one after another"):
        list(train(TRIALS, make_data(), executor=Losing(lambda _: Lost(deadly=False))))


def test_memory_that_is_not_enough_fails_one_trial_alone(make_data, monkeypatch):
    real, hungry = batches.run_within, TRIALS[3]

    def run(trial, *rest, **settings):
        if trial == hungry:
            raise MemoryError
        return real(trial, *rest, **settings)

    monkeypatch.setattr(batches, "run_within", run)
    fits = {fit.trial: fit for fit in train(TRIALS, make_data(), executor=Inside())}
    assert len(fits) == len(TRIALS)
    assert [trial for trial, fit in fits.items() if fit.status is Status.LOST] == [hungry]


def test_other_versions_are_named(make_data, monkeypatch):
    here = batches.versions()
    monkeypatch.setattr(elsewhere, "versions", lambda: {**here, "numba": "0.1"})
    with pytest.raises(SettingError, match=f"numba {here['numba']} instead of 0.1"):
        list(train(TRIALS, make_data(), executor=Inside()))


def test_workers_without_the_package_are_told_of(make_data):
    class Bare(Inside):
        def submit(self, *_):
            future = Future()
            future.set_exception(ModuleNotFoundError("no", name="shrinkage"))
            return future

    with pytest.raises(SettingError, match="the workers cannot import shrinkage"):
        list(train(TRIALS, make_data(), executor=Bare()))


def test_rows_that_changed_on_their_way_are_noticed(make_data):
    class Garbling(Inside):
        def submit(self, fn, batch, *rows):
            changed = [replace(one, parts=one.parts | {0: one.parts[1]}) for one in rows]
            return super().submit(fn, batch, *changed)

    with pytest.raises(DataError, match="are not those that were sent"):
        list(train(TRIALS, make_data(), executor=Garbling()))


def test_what_an_answer_raises_is_raised_here(make_data):
    wrong = [replace(trial(), network=Network(5, (8,)))]
    with pytest.raises(SettingError, match="the network takes 5 inputs"):
        list(train(wrong, make_data(), executor=Inside()))


@pytest.mark.slow
def test_a_process_that_dies_breaks_the_executor_with_a_sentence(make_data):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        fits = train([trial(seed) for seed in range(50_000)], make_data(), executor=executor)
        next(fits)
        os.kill(next(iter(executor._processes)), signal.SIGKILL)
        with pytest.raises(ShrinkageError, match=r"executor died.*\(a study file keeps"):
            list(fits)


@pytest.mark.parametrize("executor", [None, Inside()], ids=["threads", "elsewhere"])
def test_a_fit_that_never_ends_is_given_up_at_its_limit(make_data, executor):
    endless = trial(training=ENDLESS)
    trials = [*TRIALS[:3], endless, *TRIALS[3:6]]
    fits = {fit.trial: fit for fit in train(trials, make_data(), executor=executor, limit=0.3)}
    assert len(fits) == 7
    assert [trial for trial, fit in fits.items() if not fit.ok] == [endless]
    assert fits[endless].status is Status.OUT_OF_TIME
    assert "longer than a fit may" in fits[endless].message


def test_a_training_that_nobody_waits_for_ends(make_part):
    with pytest.raises(Interrupted):
        run_within(trial(training=ENDLESS), make_part(), halted=lambda: True)


def test_the_limit_is_above_0(make_data):
    with pytest.raises(SettingError, match="limit is 0 seconds"):
        list(train(TRIALS, make_data(), limit=0))


def test_given_up_is_a_failed_fit_that_can_be_written_down(make_part):
    fit = given_up(trial(), make_part(), Status.LOST)
    assert not fit.ok
    assert np.isnan(fit.final_validation_loss)
    assert fit.forget().parameters.size == 0
    assert fit.outputs.shape == (30, 1)


def test_a_time_that_is_up_ends_it_and_cancels_what_waits(make_data):
    class Waiting(Inside):
        def __init__(self):
            super().__init__()
            self.futures = []

        def submit(self, *_):
            self.futures.append(Future())
            return self.futures[-1]

    executor = Waiting()
    begun = time.monotonic()
    ended = lambda: time.monotonic() > begun + 0.1  # noqa: E731
    assert list(train(TRIALS, make_data(), executor=executor, expired=ended)) == []
    assert executor.futures
    assert all(future.cancelled() for future in executor.futures)


def test_an_answer_is_light_where_the_site_says_so(make_data):
    class Light(Losing):
        light = True

    found = list(train(TRIALS, make_data(), executor=Light(lambda _: None)))
    whole = {fit.trial: fit for fit in train(TRIALS, make_data(), threads=1)}
    for fit in found:
        assert fit.parameters.size == (0 if fit.trial.fold is not None else NETWORK_SIZE)
        assert fit.sparsity == whole[fit.trial].sparsity
        assert fit.spread == whole[fit.trial].spread


NETWORK_SIZE = 3 * 8 + 8 + 8 + 1


def test_a_batch_without_its_rows_asks_for_them(make_data):
    rows = Rows.of(make_data())
    batch = batches.Batch((trial(),), rows.name, {}, batches.versions())
    assert compute(batch).lacks_rows
    assert len(compute(batch, rows).fits) == 1
    assert isinstance(compute(batch), Answer)
    assert not compute(batch).lacks_rows
