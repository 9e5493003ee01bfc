"""Many fits at once: scaling with threads, memory, and the cost of evaluation."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.machine import cores
from benchmarks.measure import Effort, interleaved, of_times, seconds
from benchmarks.problems import problem
from benchmarks.table import Median, Row
from benchmarks.worker import ROOT
from shrinkage.data import Data
from shrinkage.engine.pool import train
from shrinkage.network import Network, layout
from shrinkage.study import Trial
from shrinkage.training import Training

WIDE = (256, 256)
"""Hidden units for the memory row: a fit holds a quarter of a megabyte."""
FEW, MANY = 50, 500


def rows(effort: Effort) -> list[Row]:
    """Scaling, evaluation, memory."""
    data = problem("moons")
    return [*_scaling(data, effort), _evaluation(data, effort), _memory(effort)]


def _trials(data: Data, epochs: int, count: int) -> list[Trial]:
    network = Network(data.full.n_inputs)
    training = Training(data.loss, epochs=epochs)
    folds = len(data.parts)
    return [Trial(network, training, None, 0.0, seed % folds, seed) for seed in range(count)]


def _scaling(data: Data, effort: Effort) -> list[Row]:
    """Throughput with more threads over throughput with one."""
    if cores() < 2:
        return [Row("throughput, 1 → 2 threads", None, "×", 1.8, detail="there is one core")]
    counts = sorted({1, 2, cores()})
    trials = _trials(data, effort.size(150, 5), 8 * cores())
    list(train(trials[:1], data))  # compiles

    def run(threads: int) -> Callable[[], float]:
        return lambda: seconds(lambda: list(train(trials, data, threads=threads)))

    times = interleaved({str(count): run(count) for count in counts}, effort.rounds)
    rows = []
    for count in counts[1:]:
        scaling = of_times(times["1"], times[str(count)])
        rows.append(
            Row(
                f"throughput, 1 → {count} threads",
                scaling.value,
                "×",
                0.9 * count if count == 2 else None,
                medians=tuple(
                    Median(
                        f"{threads} thread{'s' * (threads > 1)}",
                        len(trials) / median(times[str(threads)]),
                        "fits/s",
                    )
                    for threads in (1, count)
                ),
                best=scaling.best,
                spread=scaling.spread,
            )
        )
    return rows


def _evaluation(data: Data, effort: Effort) -> Row:
    """Training with its validation losses over training without any."""
    nothing = np.empty(0, dtype=np.int64)
    blind = replace(data, parts=tuple(replace(part, validation=nothing) for part in data.parts))
    trials = _trials(data, effort.size(150, 5), 4 * cores())
    list(train(trials[:1], data))
    times = interleaved(
        {
            "with": lambda: seconds(lambda: list(train(trials, data))),
            "without": lambda: seconds(lambda: list(train(trials, blind))),
        },
        2 * effort.rounds,
    )
    cost = of_times(times["with"], times["without"])
    return Row(
        "time with validation losses / without",
        cost.value,
        "×",
        1.2,
        "at most",
        (
            Median("with", median(times["with"]), "s"),
            Median("without", median(times["without"]), "s"),
        ),
        cost.best,
        cost.spread,
        f"{len(trials)} fits on {data.name}, 5 folds",
    )


def _memory(effort: Effort) -> Row:
    """Growth of the peak from few to many fits that the consumer drops."""
    peaks = {
        count: median(_peak(count) for _ in range(min(3, effort.rounds))) for count in (FEW, MANY)
    }
    growth = peaks[MANY] - peaks[FEW]
    held = (MANY - FEW) * layout(Network(2, WIDE)).size * 4 / 2**20
    return Row(
        f"memory, {FEW} → {MANY} fits",
        growth,
        "MiB",
        round(0.1 * held),
        "at most",
        tuple(Median(f"{count} fits", peak, "MiB at the peak") for count, peak in peaks.items()),
        detail=f"fits dropped as they come; kept, they would add {held:.0f} MiB",
    )


def _peak(count: int) -> float:
    """Peak resident memory in MiB of a fresh process that consumes `count` fits."""
    command = [sys.executable, "-m", "benchmarks.pool", str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def consume(count: int) -> float:
    """Train `count` small fits, keep none, and tell the peak of this process in MiB."""
    import resource

    data = problem("moons")
    training = Training(data.loss, epochs=1)
    network = Network(data.full.n_inputs, WIDE)
    trials = (Trial(network, training, None, 0.0, seed % 5, seed) for seed in range(count))
    finished = sum(fit.ok for fit in train(trials, data))
    assert finished == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    print(json.dumps(consume(int(sys.argv[1]))))
