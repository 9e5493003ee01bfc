"""Two workers of a Dask cluster on this machine beside two threads of this process."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from statistics import median

from benchmarks.machine import cores
from benchmarks.measure import Effort, interleaved, of_times, seconds
from benchmarks.problems import problem
from benchmarks.table import Median, Row
from shrinkage.clusters import DaskExecutor
from shrinkage.clusters.local import workers_here
from shrinkage.data import Data
from shrinkage.engine.batches import Answer, Batch, Rows, versions
from shrinkage.engine.pool import train
from shrinkage.network import Network
from shrinkage.study import Trial
from shrinkage.training import Training

SHARE = 0.9
"""Least throughput of two workers in that of two threads."""
MESSAGES = 400


def rows(effort: Effort) -> list[Row]:
    """Throughput beside threads, and what a message costs."""
    data = problem("moons")
    if cores() < 2:
        return [Row("throughput, 2 workers / 2 threads", None, "×", SHARE, detail="one core")]
    trials = _trials(data, effort.size(60, 2), effort.size(100, 8))
    with workers_here(2) as client, DaskExecutor(client) as executor:
        client.wait_for_workers(2)
        list(train(trials[:20], data, executor=executor))  # compiles, and sends the rows
        alone = list(train(trials[:20], data, threads=2))
        each = median(fit.seconds for fit in alone)

        def run(**where: object) -> Callable[[], float]:
            return lambda: seconds(lambda: list(train(trials, data, **where)))  # type: ignore[arg-type]

        times = interleaved(
            {"threads": run(threads=2), "workers": run(executor=executor)}, effort.rounds
        )
        beside = of_times(times["threads"], times["workers"])
        message = per_message(executor, effort.size(MESSAGES, 20))
    return [
        Row(
            "throughput, 2 workers / 2 threads",
            beside.value,
            "×",
            SHARE,
            "at least",
            tuple(
                Median(name, len(trials) / median(taken), "fits/s") for name, taken in times.items()
            ),
            beside.best,
            beside.spread,
            f"{len(trials)} fits of {1000 * each:.0f} ms",
        ),
        Row(
            "a batch through the scheduler and back",
            1000 * message,
            "ms",
            detail=f"{batch_bytes(data):,} bytes there and {answer_bytes(data):,} back for one fit",
        ),
    ]


def _trials(data: Data, epochs: int, count: int) -> list[Trial]:
    network, training = Network(data.full.n_inputs), Training(data.loss, epochs=epochs)
    folds = len(data.parts)
    return [Trial(network, training, None, 0.0, seed % folds, seed) for seed in range(count)]


def per_message(executor: DaskExecutor, count: int) -> float:
    """Seconds of scheduler, client and worker for one task that does nothing."""
    begun = time.perf_counter()
    for future in [executor.submit(int) for _ in range(count)]:
        future.result()
    return (time.perf_counter() - begun) / count


def batch_bytes(data: Data, size: int = 1) -> int:
    """Bytes of a batch on its way to a worker, without rows."""
    trials = tuple(_trials(data, 150, size))
    return len(pickle.dumps(Batch(trials, Rows.of(data).name, {}, versions())))


def answer_bytes(data: Data, size: int = 1, *, light: bool = False) -> int:
    """Bytes of a batch's fits on their way back."""
    fits = tuple(train(_trials(data, 150, size), data))
    return len(pickle.dumps(Answer(tuple(fit.forget() for fit in fits) if light else fits)))
