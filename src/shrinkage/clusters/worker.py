"""What runs on a worker of a Dask cluster."""

from __future__ import annotations

from shrinkage.engine.batches import Answer, Batch, Rows, compute


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
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    tasks = worker.state.tasks

    def halted() -> bool:
        task = tasks.get(key)
        return task is None or task.state != "executing"

    return compute(batch, rows, halted=halted)
