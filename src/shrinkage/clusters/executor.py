"""A Dask cluster as an executor that `train` knows to send rows to once, and trials in batches."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from shrinkage.clusters.worker import here, stay
from shrinkage.engine.batches import Answer, Batch, Rows
from shrinkage.engine.elsewhere import Lost
from shrinkage.errors import SettingError, ShrinkageError

if TYPE_CHECKING:
    import distributed

T = TypeVar("T")

_AHEAD = 12
"""Batches for each worker. Adaptive clusters grow where more than five seconds' work waits."""
_SCATTERS = 10
"""Attempts to send rows while workers die and join."""


class DaskExecutor(Executor):
    """A Dask cluster as an executor.

    :func:`shrinkage.engine.pool.train` and everything that takes an executor sends the rows to
    each worker once, and trials in batches of about a second. Workers that a ``LocalCluster``
    started share what is large in them. What is lost with a worker is computed again; each fit
    comes once, with the bits that a thread here would have given it.

    Parameters
    ----------
    client : distributed.Client
        Connected, not asynchronous. It stays the caller's to close.
    light : bool, default False
        Fits of folds come back without their weights, which most searches look at only once.
    patience : float, default 300.0
        Seconds to wait for a first worker.

    Examples
    --------
    >>> from distributed import Client  # doctest: +SKIP
    >>> from shrinkage.tune import Search, plan
    >>> client = Client("tcp://scheduler:8786")  # doctest: +SKIP
    >>> search = Search(data, plan(data), executor=DaskExecutor(client))  # doctest: +SKIP
    >>> fits = list(search)  # doctest: +SKIP
    """

    ahead = _AHEAD

    def __init__(
        self, client: distributed.Client, *, light: bool = False, patience: float = 300.0
    ) -> None:
        self.light = light
        self.patience = patience
        self._client = client
        self._name = uuid4().hex[:8]
        self._numbers = itertools.count()
        self._rows: dict[str, Any] = {}
        self._files = ExitStack()
        self._sent: dict[str, Rows] = {}
        self._open: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def workers(self) -> int:
        """Threads of the cluster's workers, as far as its scheduler has told this client."""
        known = self._client.scheduler_info(n_workers=-1).get("workers", {})
        return sum(int(worker["nthreads"]) for worker in known.values())

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Compute ``fn(*args, **kwargs)`` on a worker.

        Parameters
        ----------
        fn : callable
            What.
        *args, **kwargs
            Of it.

        Returns
        -------
        concurrent.futures.Future

        Raises
        ------
        RuntimeError
            After :meth:`shutdown`.
        """
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        key = f"shrinkage-{self._name}-{next(self._numbers)}"
        asked = self._client.submit(fn, *args, key=key, pure=False, **kwargs)
        answer: Future[T] = Future()
        with self._lock:
            self._open.add(answer)
        answer.add_done_callback(partial(self._ended, asked))
        asked.add_done_callback(partial(self._hand_over, answer))
        return answer

    def send(self, batch: Batch, rows: Rows) -> Future[Answer]:
        """Have a batch computed by a worker that gets the rows from here or from another one.

        Parameters
        ----------
        batch : Batch
            What to train.
        rows : Rows
            Of its table.

        Returns
        -------
        concurrent.futures.Future of Answer
            Fails with :class:`shrinkage.engine.elsewhere.Lost` when workers died.
        """
        if rows.name not in self._rows:
            self._rows[rows.name] = self._scattered(rows)
        return self.submit(here, batch, self._rows[rows.name])

    def renew(self) -> None:
        """Send rows again with the next batches: no worker has them any more."""
        self._rows.clear()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more, and let the rows go; client and cluster stay.

        Parameters
        ----------
        wait : bool, default True
            Until what was submitted is computed.
        cancel_futures : bool, default False
            Give up what was submitted.
        """
        self._closed = True
        with self._lock:
            left = list(self._open)
        for future in left:
            if cancel_futures:
                future.cancel()
            elif wait:
                future.exception()
        self._rows.clear()
        self._sent.clear()
        self._files.close()

    def _scattered(self, rows: Rows) -> Any:
        """Rows on every worker of now; those that join get them from one that has them."""
        import distributed

        if rows.name not in self._sent:
            here = isinstance(self._client.cluster, distributed.LocalCluster)
            self._sent[rows.name] = self._files.enter_context(rows.mapped()) if here else rows
        for again in range(_SCATTERS):
            # Each time under another name: a lost one may still be known to the scheduler.
            key = f"shrinkage-rows-{rows.name}-{self._name}-{next(self._numbers)}"
            with self._kept_busy():
                try:
                    return self._client.scatter({key: self._sent[rows.name]}, broadcast=True)[key]
                except Exception as error:  # a worker died while it was being told
                    if self._client.status != "running" or again == _SCATTERS - 1:
                        raise self._gone() from error
                    time.sleep(0.2 * (again + 1))
        raise AssertionError  # the last attempt returns or raises

    @contextmanager
    def _kept_busy(self) -> Iterator[None]:
        """Have a worker, which an adaptive cluster must not take for idle and end."""
        import distributed

        task = self._client.submit(stay, key=f"shrinkage-stay-{uuid4().hex[:8]}", pure=False)
        try:
            try:
                self._client.wait_for_workers(1, timeout=self.patience)
            except distributed.TimeoutError as error:
                raise SettingError(
                    f"no worker joined {self._where} in {self.patience:g} seconds; start one "
                    f"with: dask worker {self._where} --nthreads 1"
                ) from error
            yield
        finally:
            task.cancel()

    def _gone(self) -> ShrinkageError:
        return ShrinkageError(
            f"the connection to the cluster of the scheduler at {self._where} is lost; look "
            "whether it still runs, and start the command again"
        )

    @property
    def _where(self) -> str:
        scheduler = self._client.scheduler
        return str(scheduler.address) if scheduler is not None else "the scheduler"

    def _ended(self, asked: Any, answer: Future[Any]) -> None:
        with self._lock:
            self._open.discard(answer)
        if answer.cancelled():
            asked.cancel()

    def _hand_over(self, answer: Future[Any], asked: Any) -> None:
        """What became of it there; runs in a thread of Dask's client."""
        from distributed import KilledWorker

        if answer.cancelled():
            return
        try:
            result = asked.result()
        except KilledWorker:
            error: BaseException = Lost(deadly=True)
        except CancelledError:
            error = Lost(deadly=False) if self._client.status == "running" else self._gone()
        except BaseException as failure:  # noqa: BLE001  # whatever it was goes to who asked
            error = failure
        else:
            if answer.set_running_or_notify_cancel():
                answer.set_result(result)
            return
        if answer.set_running_or_notify_cancel():
            answer.set_exception(error)
