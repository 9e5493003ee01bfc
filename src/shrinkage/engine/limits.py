"""A training that ends in time: by itself, at its limit, or when nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Part
from shrinkage.engine.objective import Interrupted
from shrinkage.engine.pool import run_trial
from shrinkage.network import initialize
from shrinkage.study import Fit, Status, Trial
from shrinkage.training import Training

_EVERY = 0.05
"""Seconds between two looks at the clock."""


def run_within(
    trial: Trial,
    part: Part,
    start: NDArray[np.float32] | None = None,
    *,
    limit: float | None = None,
    halted: Callable[[], bool] | None = None,
) -> Fit:
    """Train one trial, in this thread, while another one watches the clock.

    Parameters
    ----------
    trial, part, start
        See :func:`shrinkage.engine.pool.run_trial`.
    limit : float or None, default None
        Seconds after which it is given up; loading and compiling the engine do not count.
    halted : callable, optional
        Asked twenty times a second whether to end without an answer.

    Returns
    -------
    Fit
        One that says so when the time was up; its seconds then are the limit.

    Raises
    ------
    Interrupted
        If it was halted.
    """
    if limit is None and halted is None:
        return run_trial(trial, part, None, start)
    if limit is not None:
        _load_engine(trial, part)
    stop = np.zeros(1, dtype=np.uint8)
    ended, late = threading.Event(), threading.Event()

    def watch() -> None:
        last = None if limit is None else time.monotonic() + limit
        while not ended.wait(_EVERY):
            if halted is not None and halted():
                break
            if last is not None and time.monotonic() >= last:
                late.set()
                break
        stop[0] = 1

    watcher = threading.Thread(target=watch, name="shrinkage-watch", daemon=True)
    watcher.start()
    try:
        return run_trial(trial, part, stop, start)
    except Interrupted:
        if late.is_set() and limit is not None:
            return replace(given_up(trial, part, Status.OUT_OF_TIME), seconds=limit)
        raise
    finally:
        ended.set()
        watcher.join()


_loaded: set[Training] = set()
"""Trainings whose first steps are compiled in this process."""


def _load_engine(trial: Trial, part: Part) -> None:
    """One epoch on two rows, so that compiling takes nothing from a limit."""
    training = trial.training
    once = replace(
        training,
        epochs=1,
        patience=training.patience and 1,
        relaxed_epochs=0,
        polish=min(training.polish, 1),
    )
    if once not in _loaded:
        few = replace(part, train=part.train[:2].copy(), validation=part.validation[:2].copy())
        run_trial(replace(trial, training=once, rows=None), few)
        _loaded.add(once)


def stands(fit: Fit, limit: float | None) -> bool:
    """Whether a fit from before is an answer, or its trial deserves another attempt.

    Parameters
    ----------
    fit : Fit
        Of an earlier run.
    limit : float or None
        Seconds that a training may take now.
    """
    if fit.status is Status.OUT_OF_TIME:
        return limit is not None and limit <= fit.seconds
    return fit.status is not Status.LOST


def given_up(trial: Trial, part: Part, status: Status) -> Fit:
    """The fit of a trial that has none: its first weights, and no loss.

    Parameters
    ----------
    trial : Trial
        The question without an answer.
    part : Part
        The rows of its fold.
    status : Status
        Why.
    """
    network = trial.perceptron
    return Fit(
        trial=trial,
        parameters=initialize(network, trial.seed),
        epochs=np.empty(0, dtype=np.int64),
        train_loss=np.empty(0),
        validation_loss=np.empty(0),
        final_train_loss=float("nan"),
        outputs=np.full((part.validation.size, network.outputs), np.nan, dtype=np.float32),
        status=status,
        stopped_at=0,
    )
