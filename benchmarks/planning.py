"""A million fits on 1,000 cores: what each part of the way would have to do, and what it can.

Measured here are one scheduler, one coordinator and one study file; the rest is arithmetic.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.dask import answer_bytes, per_message
from benchmarks.measure import Effort, seconds
from benchmarks.problems import problem
from benchmarks.study_file import _many, _small, _write
from benchmarks.table import Median, Row
from shrinkage.clusters import DaskExecutor
from shrinkage.clusters.local import workers_here
from shrinkage.engine.batches import Answer
from shrinkage.engine.elsewhere import FEW, SECONDS

FITS, CORES = 1_000_000, 1_000
LENGTHS = (0.1, 1.0, 10.0)
"""Seconds of one fit."""


def rows(effort: Effort) -> list[Row]:
    """The constants, and for each length of a fit the load in shares of what is possible."""
    data = problem("moons")
    with workers_here(1) as client, DaskExecutor(client) as executor:
        client.wait_for_workers(1)
        per_message(executor, 20)
        message = min(per_message(executor, effort.size(400, 20)) for _ in range(effort.rounds))
    whole, light = (answer_bytes(data, 1, light=light) for light in (False, True))
    small, planned, fit = _small()
    fits = list(_many(fit, effort.size(10_000, 100)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "many.study"
        write = seconds(lambda: _write(path, small, planned, fits)) / len(fits)
        stored = path.stat().st_size / len(fits)
    answer = pickle.dumps(Answer(tuple(fits[:1000])))
    read = seconds(lambda: pickle.loads(answer)) / len(fits[:1000])
    constants = (
        Median("scheduler and client", 1000 * message, "ms a batch"),
        Median("reading an answer", 1e6 * read, "µs a fit"),
        Median("study file", 1e6 * write, "µs a fit"),
        Median("study file", stored, "bytes a fit"),
        Median("an answer, one of 128,128", whole, "bytes with weights"),
        Median("the same", light, "bytes without"),
    )
    return [
        Row("what is measured: seconds of a batch", message, "s", medians=constants),
        *(_load(length, message, read, write, whole, light) for length in LENGTHS),
    ]


def _load(length: float, message: float, read: float, write: float, whole: int, light: int) -> Row:
    """The busiest part's share of a second in every second; above 1 it is what all wait for."""
    arriving = CORES / length
    batch = max(1.0, SECONDS * max(1.0, CORES / FEW) / length)
    loads = {
        "scheduler, a message for each fit": arriving * message,
        "scheduler, batches of a second": min(arriving, CORES / SECONDS) * message,
        f"scheduler, batches of {batch * length:.0f} s": arriving / batch * message,
        "coordinator and study file": arriving * (read + write),
    }
    limit = max(arriving / batch * message, arriving * (read + write), 1.0)
    return Row(
        f"{FITS:,} fits of {length:g} s on {CORES:,} cores",
        FITS * length / CORES / 60 * limit,
        "min",
        medians=tuple(Median(name, load, "of what it can") for name, load in loads.items()),
        detail=f"{arriving * light / 1e6:.1f} MB/s through the coordinator, "
        f"{arriving * whole / 1e6:.1f} with weights",
    )
