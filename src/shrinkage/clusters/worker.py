"""What runs on a worker of a Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Callable

from shrinkage.engine.batches import Answer, Batch, Rows, compute

_EVERY = 0.05
"""Seconds between two looks whether somebody waits."""


def here(batch: Batch, rows: Rows) -> Answer:
    """Train a batch, and stop within a step when nobody waits for it any more.

    Parameters
    ----------
    batch : Batch
        What to train.
    rows : Rows
        Of its table.

    Returns
    -------
    Answer
    """
    return compute(batch, rows, halted=_halted())


def stay() -> None:
    """Keep this worker from being idle until nobody waits for the end of it."""
    halted = _halted()
    while not halted():
        time.sleep(_EVERY)


def _halted() -> Callable[[], bool]:
    """Whether nobody waits any more for the task that asks."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    tasks = worker.state.tasks

    def halted() -> bool:
        task = tasks.get(key)
        return task is None or task.state != "executing"

    return halted
