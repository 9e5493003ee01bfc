"""Trials trained by other processes: how many at once, what was lost, and fits as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from shrinkage.engine.batches import Answer, Batch, Rows, compute, versions
from shrinkage.engine.limits import given_up
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.study import Fit, Status, Trial

SECONDS = 1.0
"""Work in a batch: long beside a message, short beside a stage of a search."""
FEW = 100
"""Workers with batches of a second; of more the batches are longer, for one coordinator to keep up.

They come from all workers together a hundred times a second at most: docs/how-to/clusters.md.
"""
TRIES = 3
"""Times that a trial may take its worker down while nothing else is under way."""
_DOUBTS = 2
"""Losses among others after which a batch is tried alone, last of all, to see if it is to blame."""
_POLL = 0.05
"""Seconds between two looks at a deadline."""
_STUBBORN = 100
"""Batches lost in a row, without a single fit, after which there is no hope."""


class Lost(Exception):
    """A batch whose answer will not come.

    Parameters
    ----------
    deadly : bool
        Whether workers died while they had it, rather than rows that it needs being lost.
    """

    def __init__(self, *, deadly: bool) -> None:
        super().__init__("deadly" if deadly else "rows")
        self.deadly = deadly


@runtime_checkable
class Site(Protocol):
    """Somewhere else with workers: what is asked of a cluster."""

    @property
    def workers(self) -> int:
        """Trainings that can run there at the same time, now."""

    @property
    def ahead(self) -> int:
        """Batches for each of them that are under way or waiting there."""

    @property
    def light(self) -> bool:
        """Whether fits of folds come back without weights."""

    def send(self, batch: Batch, rows: Rows) -> Future[Answer]:
        """Have a batch computed on its rows. Fails with :class:`Lost`."""

    def renew(self) -> None:
        """Send rows again, because they were lost there."""


class Plain:
    """Any executor. Rows go to a worker when it says that it has none of them.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Of processes, here or elsewhere.
    workers : int
        How many.
    ahead : int
        Batches in flight for each of them.
    """

    light = False

    def __init__(self, executor: Executor, workers: int, ahead: int) -> None:
        self.workers = workers
        self.ahead = ahead
        self._executor = executor

    def send(self, batch: Batch, rows: Rows) -> Future[Answer]:
        """First without rows; with them when the worker asks for them."""
        answer: Future[Answer] = Future()

        def submit(*sent: Rows) -> None:
            if answer.cancelled():
                return
            try:
                asked = self._executor.submit(compute, batch, *sent)
            except RuntimeError as error:  # broken, or shut down meanwhile
                answer.set_exception(error)
                return
            answer.add_done_callback(lambda _: asked.cancel())
            asked.add_done_callback(take)

        def take(asked: Future[Answer]) -> None:
            if answer.cancelled() or asked.cancelled():
                answer.cancel()
                return
            error = asked.exception()
            if error is not None:
                answer.set_exception(error)
            elif asked.result().lacks_rows:
                submit(rows)
            else:
                answer.set_result(asked.result())

        submit()
        return answer

    def renew(self) -> None:
        """Nothing: what a worker misses it asks for."""


@dataclass(frozen=True, eq=False)
class _Work:
    """Trials that go together, how often they were lost among others, and how often alone."""

    trials: tuple[Trial, ...]
    doubts: int = 0
    deaths: int = 0
    alone: bool = False


class Dispatch:
    """Trials on their way to a site and fits on their way back; each fit comes once.

    Parameters
    ----------
    trials : iterable of Trial
        Taken as they are needed.
    left : int
        How many they are, or 0 where that is not known.
    rows : Rows
        Of the table.
    site : Site
        Where.
    starts : mapping of Trial to ndarray of float32 (P,)
        Initial parameters of some trials.
    limit : float or None
        Seconds that a fit may take.
    """

    def __init__(
        self,
        trials: Iterable[Trial],
        left: int,
        rows: Rows,
        site: Site,
        starts: Mapping[Trial, NDArray[np.float32]],
        limit: float | None,
    ) -> None:
        self._left = left
        self._queue = iter(trials)
        self._again: deque[_Work] = deque()
        self._suspects: deque[_Work] = deque()
        self._rows = rows
        self._site = site
        self._starts = starts
        self._limit = limit
        self._pending: dict[Future[Answer], _Work] = {}
        self._pace: float | None = None
        self._losses = 0

    def fits(self, expired: Callable[[], bool] | None) -> Iterator[Fit]:
        """Every fit as its batch comes back.

        Parameters
        ----------
        expired : callable or None
            Asked whether the time is up.
        """
        try:
            self._fill()
            while self._pending:
                done, _ = wait(self._pending, timeout=_POLL, return_when=FIRST_COMPLETED)
                over = expired is not None and expired()
                for future in done:
                    work = self._pending.pop(future)
                    found = self._received(work, future)
                    if not over:
                        self._fill()
                    yield from found
                if over:
                    return
                self._fill()  # workers may have joined
        finally:
            for future in self._pending:
                future.cancel()

    def _fill(self) -> None:
        """Send what there is room for."""
        ahead = self._site.ahead if self._pace is not None else min(self._site.ahead, 2)
        room = ahead * max(self._site.workers, 1)
        while len(self._pending) < room:
            work = self._next()
            if work is None:
                return
            batch = Batch(
                trials=work.trials,
                rows=self._rows.name,
                starts={t: self._starts[t] for t in work.trials if t in self._starts},
                versions=versions(),
                limit=self._limit,
                light=self._site.light,
            )
            self._pending[self._site.send(batch, self._rows)] = work

    def _next(self) -> _Work | None:
        """What was lost first, then what is new, then suspects, one after the other."""
        if any(work.alone for work in self._pending.values()):
            return None
        if self._again:
            return self._again.popleft()
        work = _Work(tuple(islice(self._queue, self._size())))
        self._left -= len(work.trials)
        if work.trials:
            return work
        if self._suspects and not self._pending:
            return replace(self._suspects.popleft(), alone=True)
        return None

    def _size(self) -> int:
        """Trials in the next batch: a second's work, and less towards the end of what is known."""
        if self._pace is None:
            return 1
        work = SECONDS * max(1.0, self._site.workers / FEW)
        size = max(1, int(work / max(self._pace, 1e-6)))
        if self._left > 0:
            size = min(size, ceil(self._left / (2 * max(self._site.workers, 1))))
        return size

    def _received(self, work: _Work, future: Future[Answer]) -> list[Fit]:
        """The fits of a batch; none when it has to be sent again."""
        try:
            answer = future.result()
        except Lost as lost:
            return self._lost(work, lost)
        except BrokenExecutor as error:
            raise ShrinkageError(
                "a process of the executor died, mostly for want of memory, and took the others "
                "with it; use fewer of them, or a smaller table or network (a study file keeps "
                "what was trained before)"
            ) from error
        except ModuleNotFoundError as error:
            raise SettingError(
                f"the workers cannot import {error.name}; install there what is installed here, "
                f"shrinkage {versions()['shrinkage']} with all that it needs"
            ) from error
        if answer.mismatch:
            raise SettingError(
                f"the worker on {answer.mismatch}, so its fits would not be those of this "
                "process; install the same versions everywhere"
            )
        self._losses = 0
        pace = sum(fit.seconds for fit in answer.fits) / len(answer.fits)
        self._pace = pace if self._pace is None else (self._pace + pace) / 2
        # The trials of this process, not copies of them: thousands of fits share one network.
        return [replace(fit, trial=trial) for fit, trial in zip(answer.fits, work.trials)]

    def _lost(self, work: _Work, lost: Lost) -> list[Fit]:
        """Have it computed again, unless it was its workers' end too often.

        Whoever is under way with a trial that takes its worker down is lost with it. So only what
        is lost alone is to blame.
        """
        self._losses += 1
        if self._losses > _STUBBORN:
            raise ShrinkageError(
                f"{_STUBBORN} batches were lost one after another, with all that workers had; "
                "look at the workers' own messages"
            ) from lost
        if not lost.deadly:
            self._site.renew()
        if not work.alone:
            again = replace(work, doubts=work.doubts + 1)
            (self._again if again.doubts < _DOUBTS else self._suspects).append(again)
        elif len(work.trials) > 1:  # which of them was it?
            self._suspects.extend(_Work((trial,)) for trial in work.trials)
        elif work.deaths + 1 < TRIES:
            self._suspects.append(replace(work, deaths=work.deaths + 1))
        else:
            (trial,) = work.trials
            return [given_up(trial, self._rows.parts[trial.fold], Status.LOST)]
        return []


def site_of(executor: Executor, workers: int | None, ahead: int) -> Site:
    """The executor as a site; a cluster's own executor is one already.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Where to compute.
    workers : int or None
        Of an executor that is no site: its workers, where it does not tell itself.
    ahead : int
        Batches in flight for each of them.
    """
    if isinstance(executor, Site):
        return executor
    known = getattr(executor, "_max_workers", None)
    return Plain(executor, workers or (known if isinstance(known, int) else 1), ahead)
