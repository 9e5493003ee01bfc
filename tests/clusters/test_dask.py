"""A real Dask cluster: the same bits, whatever happens to its workers."""

import os
import signal
import threading
import time
from concurrent.futures import wait
from dataclasses import replace

import numpy as np
import psutil
import pytest
from joblib import parallel_config

from shrinkage import ShrinkageClassifierCV
from shrinkage.clusters import DaskExecutor
from shrinkage.clusters.local import workers_here
from shrinkage.data import bundled, prepare
from shrinkage.engine import elsewhere
from shrinkage.engine.batches import versions
from shrinkage.engine.pool import train
from shrinkage.errors import SettingError
from shrinkage.estimators.threads import executor_here
from shrinkage.network import Network
from shrinkage.penalties import L1, L2
from shrinkage.study import Status, Trial
from shrinkage.training import Training
from shrinkage.tune import Search, plan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data():
    table, target = bundled("moons", samples=200)
    return prepare(table, target, name="moons", folds=3, repeats=1)


@pytest.fixture(scope="module")
def client():
    with workers_here(2) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def executor(client):
    with DaskExecutor(client) as executor:
        yield executor


def trials(data, seeds=4, **settings):
    training = Training(data.loss, **{"epochs": 20} | settings)
    return [
        Trial(Network(2, (16, 16)), training, penalty, lam, fold, seed)
        for seed in range(seeds)
        for penalty, lam in ((None, 0.0), (L1(), 0.01), (L2(), 0.1))
        for fold in (0, 1, 2, None)
    ]


def bits(fits):
    found = [
        (fit.trial, fit.parameters.tobytes(), fit.train_loss.tobytes(), fit.outputs.tobytes())
        for fit in fits
    ]
    assert len({trial for trial, *_ in found}) == len(found)
    return set(found)


def listening(process):
    return [
        connection.laddr.ip
        for one in (process, *process.children(recursive=True))
        for connection in one.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]


def test_the_bits_are_those_of_two_threads(executor, data):
    asked = trials(data)
    assert executor.workers == 2
    assert bits(train(asked, data, executor=executor)) == bits(train(asked, data, threads=2))


def test_a_search_finds_the_same(client, data):
    how = plan(
        data,
        network=Network(2, (8,)),
        training=Training(data.loss, epochs=5),
        lambdas=(0.001, 0.1),
        penalties=(L1(),),
    )
    alone = Search(data, how, threads=2)
    with DaskExecutor(client, light=True) as executor:
        there = Search(data, how, executor=executor)
        assert bits(fit.forget() for fit in alone) == bits(fit.forget() for fit in there)
    for one, other in zip(alone.study.fits, there.study.fits):
        assert one.parameters.tobytes() == other.parameters.tobytes()


def test_it_listens_on_the_loopback_interface_alone(client):
    assert set(listening(psutil.Process())) == {"127.0.0.1"}


def test_a_diverging_trial_says_so_and_the_others_finish(executor, data):
    wild = replace(trials(data)[0], training=Training(data.loss, epochs=20, learning_rate=1e30))
    fits = {fit.trial: fit for fit in train([*trials(data, 1), wild], data, executor=executor)}
    assert [trial for trial, fit in fits.items() if not fit.ok] == [wild]
    assert fits[wild].status is Status.DIVERGED


def test_a_fit_that_never_ends_is_given_up(executor, data):
    (endless, *_) = trials(data, 1, epochs=100_000_000)
    asked = [endless, *trials(data, 1)]
    fits = {fit.trial: fit for fit in train(asked, data, executor=executor, limit=0.5)}
    assert len(fits) == len(asked)
    assert [trial for trial, fit in fits.items() if not fit.ok] == [endless]
    assert fits[endless].status is Status.OUT_OF_TIME


def test_closing_stops_what_runs_there(executor, client, data):
    fits = train(trials(data, 2, epochs=100_000_000)[:6] + trials(data, 1), data, executor=executor)
    closer = threading.Timer(1.0, lambda: None)
    closer.start()
    expired = lambda: not closer.is_alive()  # noqa: E731
    assert (
        list(train(trials(data, 1, epochs=100_000_000), data, executor=executor, expired=expired))
        == []
    )
    fits.close()
    # Workers that went on with what nobody waits for would not take these.
    assert len(list(train(trials(data, 1), data, executor=executor))) == 12


def test_other_versions_are_named(executor, data, monkeypatch):
    monkeypatch.setattr(elsewhere, "versions", lambda: {**versions(), "numba": "0.1"})
    with pytest.raises(SettingError, match=f"numba {versions()['numba']} instead of 0.1"):
        list(train(trials(data), data, executor=executor))


def test_it_is_an_executor_for_anything(executor):
    futures = [executor.submit(pow, 2, power) for power in range(5)]
    assert wait(futures, timeout=20).not_done == set()
    assert [future.result() for future in futures] == [1, 2, 4, 8, 16]
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result(timeout=20)
    assert list(executor.map(abs, [-1, -2])) == [1, 2]
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(abs, 1)


def test_scikit_learns_users_name_it_with_joblib(client, monkeypatch):
    table, target = bundled("moons", samples=80)
    inputs, labels = table.drop(columns=[target]), table[target]
    estimator = ShrinkageClassifierCV(
        hidden_layer_sizes=(8,), max_iter=3, lambdas=[0.01], cv=2, random_state=0
    )
    assert executor_here() is None
    alone = estimator.fit(inputs, labels).predict_proba(inputs)
    sent = []
    real = DaskExecutor.send
    monkeypatch.setattr(DaskExecutor, "send", lambda *given: sent.append(1) or real(*given))
    with parallel_config("dask", client=client):
        there = estimator.fit(inputs, labels).predict_proba(inputs)
    assert sent
    assert np.array_equal(alone, there)


def test_half_of_the_workers_killed_again_and_again(data):
    asked = trials(data, 12, epochs=100)
    with workers_here(2) as client, DaskExecutor(client) as executor:
        client.wait_for_workers(2)
        fits, killed = [], []
        for fit in train(asked, data, executor=executor):
            fits.append(fit)
            if len(fits) in (1, 20, 40):
                nanny = client.cluster.workers[len(killed) % 2]
                while nanny.pid in (None, *killed):  # the one killed first starts again
                    time.sleep(0.05)
                os.kill(nanny.pid, signal.SIGKILL)
                killed.append(nanny.pid)
    assert len(set(killed)) == 3
    assert bits(fits) == bits(train(asked, data, threads=2))


def test_all_workers_killed_at_once_and_their_rows_with_them(data):
    asked = trials(data, 12, epochs=100)
    with workers_here(2) as client, DaskExecutor(client) as executor:
        client.wait_for_workers(2)
        fits = train(asked, data, executor=executor)
        first = next(fits)
        for nanny in client.cluster.workers.values():
            os.kill(nanny.pid, signal.SIGKILL)
        found = bits([first, *fits])
    assert found == bits(train(asked, data, threads=2))


def test_workers_may_come_later(data):
    with workers_here(1) as client, DaskExecutor(client) as executor:
        assert len(list(train(trials(data, 1), data, executor=executor))) == 12
        client.cluster.scale(2)
        client.wait_for_workers(2)
        assert executor.workers == 2
        assert len(list(train(trials(data, 1), data, executor=executor))) == 12


def test_an_adaptive_cluster_grows_with_the_work_and_ends_with_it(data):
    asked = []

    def as_long_as_it_takes(executor):
        for trial in trials(data, 1_000, epochs=100):
            if executor.workers == 2:
                return
            asked.append(trial)
            yield trial

    with workers_here(1) as client:
        client.cluster.adapt(minimum=0, maximum=2, interval="100ms", target_duration="500ms")
        with DaskExecutor(client) as executor:
            fits = list(train(as_long_as_it_takes(executor), data, executor=executor))
        while executor.workers:
            time.sleep(0.1)
    assert bits(fits) == bits(train(asked, data, threads=2))


def test_no_worker_at_all_is_said(data):
    with workers_here(1) as client, DaskExecutor(client, patience=0.1) as executor:
        client.wait_for_workers(1)
        client.cluster.scale(0)
        while executor.workers:
            time.sleep(0.1)
        with pytest.raises(SettingError, match="no worker joined tcp:"):
            list(train(trials(data, 1), data, executor=executor))


def test_a_trial_that_exhausts_the_memory_of_its_worker(data):
    training = Training(data.loss, epochs=1)
    vast = Trial(Network(2, (8000, 8000)), training, None, 0.0, 0, 0)
    asked = [*trials(data, 1), vast, *trials(data, 2)[12:]]
    with workers_here(1, memory=600 * 2**20) as client, DaskExecutor(client) as executor:
        fits = {fit.trial: fit for fit in train(asked, data, executor=executor)}
    assert len(fits) == len(asked)
    assert [trial for trial, fit in fits.items() if not fit.ok] == [vast]
    assert fits[vast].status is Status.LOST


def test_nothing_is_left(data):
    with workers_here(2) as client:
        client.wait_for_workers(1)
        children = psutil.Process().children(recursive=True)
        workers = [nanny.pid for nanny in client.cluster.workers.values()]
    assert workers
    _, alive = psutil.wait_procs([one for one in children if one.pid in workers], timeout=5)
    assert alive == []
