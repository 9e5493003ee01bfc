"""Several stacks at once, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import torch

from shrinkage.study import Fit

_POLL = 0.05
"""Seconds between two looks at a deadline."""

Work = Callable[[Callable[[], bool]], Iterator[Fit]]
"""Trains, and asks before every step whether to give up."""


def side_by_side(works: Sequence[Work], expired: Callable[[], bool] | None = None) -> Iterator[Fit]:
    """The fits of all works as they come.

    A stack is many small operations, and PyTorch's own threads would have to meet after each of
    them. So each stack has one thread from start to end, and what it computes does not depend on
    how many others there are.

    Parameters
    ----------
    works : sequence of callable
        At least one.
    expired : callable, optional
        Whether the time is up; then all end within a step.

    Yields
    ------
    Fit
        In the order of completion. Closing the generator ends all works within a step.
    """
    if len(works) == 1:
        yield from works[0](expired or _never)
        return
    stop = Event()
    news: SimpleQueue[Fit | BaseException | None] = SimpleQueue()
    before = torch.get_num_threads()

    def run(work: Work) -> None:
        torch.set_num_threads(1)
        try:
            for fit in work(stop.is_set):
                news.put(fit)
            news.put(None)
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            news.put(error)

    threads = [Thread(target=run, args=(work,), name="stack", daemon=True) for work in works]
    for thread in threads:
        thread.start()
    running, interrupted = len(threads), False
    try:
        while running:
            if expired is not None and expired():
                break
            found: Any = None
            try:
                found = news.get(timeout=_POLL)
            except Empty:
                continue
            if found is None:
                running -= 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield found
    except KeyboardInterrupt:
        interrupted = True
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        torch.set_num_threads(before)
    # What ended while nobody looked is not lost.
    while not news.empty():
        left = news.get()
        if isinstance(left, Fit):
            yield left
    if interrupted:
        raise KeyboardInterrupt


def _never() -> bool:
    return False
