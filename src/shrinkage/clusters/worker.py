"""What runs on a worker of a Dask cluster."""

from __future__ import annotations

from shrinkage.data import Part
from shrinkage.engine.batches import Answer, Batch, compute


def here(batch: Batch, *parts: Part) -> Answer:
    """Train a batch, and stop within a step when nobody waits for it any more.

    Parameters
    ----------
    batch : Batch
        What to train.
    *parts : Part
        The rows of its folds.

    Returns
    -------
    Answer
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    tasks = worker.state.tasks

    def halted() -> bool:
        task = tasks.get(key)
        return task is None or task.state != "executing"

    return compute(batch, *parts, halted=halted)
