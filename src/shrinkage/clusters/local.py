"""A Dask cluster on this machine: started, seen by nobody else, and gone in a moment."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from shrinkage.engine.pool import available_threads

if TYPE_CHECKING:
    import distributed

_LOOPBACK = "127.0.0.1"
_SETTINGS = {
    # A task that killed two workers is sent again alone, to see which of its trials it was.
    "distributed.scheduler.allowed-failures": 1,
    # On a busy machine a worker may take long to start again.
    "distributed.deploy.lost-worker-timeout": "10 minutes",
    # Variables for the workers, which Dask would also set in this process.
    "distributed.nanny.pre-spawn-environ": {},
}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@contextmanager
def workers_here(
    workers: int | None = None, dashboard: int | None = None, memory: int | None = None
) -> Iterator[distributed.Client]:
    """A scheduler in this process and workers of one thread each beside it.

    Parameters
    ----------
    workers : int or None, default None
        Processes; by default one for each core that this process may use.
    dashboard : int or None, default None
        Port of Dask's dashboard on the loopback interface; None for no dashboard.

    memory : int or None, default None
        Bytes that a worker may take before it is ended; by default its share of the machine's.

    Yields
    ------
    distributed.Client
        At once: workers join it within seconds.
    """
    import dask
    import distributed

    with (
        _put_away() as begun,
        dask.config.set(_SETTINGS | {"temporary-directory": begun.folder}),
    ):
        with _deaf_to_ctrl_c():
            started = distributed.LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                processes=True,
                host=_LOOPBACK,
                dashboard_address=f"{_LOOPBACK}:{dashboard or 0}",
                scheduler_kwargs={"dashboard": dashboard is not None},
                memory_limit=memory or 1 / (workers or available_threads()),
                local_directory=begun.folder,
                env=_ONE_THREAD,
                silence_logs=50,
            )
        begun.cluster = started
        try:
            started.scale(workers or available_threads())
            with distributed.Client(started, set_as_default=False) as client:
                try:
                    yield client
                finally:
                    _kill(started)
        finally:
            started.close(timeout=10)


@dataclass
class _Begun:
    """A cluster that is started, works, or ends.

    Parameters
    ----------
    folder : str
        Where its workers write.
    cluster : LocalCluster or None, default None
        None until it is there.
    """

    folder: str
    cluster: Any = None


_begun: list[_Begun] = []


@contextmanager
def _put_away() -> Iterator[_Begun]:
    """A folder for workers, and the note that it is there, until it is gone again."""
    with TemporaryDirectory(prefix="shrinkage-dask-", ignore_cleanup_errors=True) as folder:
        one = _Begun(folder)
        _begun.append(one)
        try:
            yield one
        finally:
            _begun.remove(one)


def end_at_once() -> None:
    """End the workers of this machine's clusters, whatever they do, and remove what they wrote.

    For a process that ends without waiting for anything: in the middle of starting them, say.
    """
    psutil = sys.modules.get("psutil")  # Dask's: before it is loaded there are no workers
    if not _begun or psutil is None:
        return
    for one in _begun:
        if one.cluster is not None:
            with suppress(Exception):  # whatever state it is in
                _kill(one.cluster)
    # A worker that is only being started is none of its cluster yet. The tracker ends by itself,
    # once it has removed what was theirs.
    tracker = getattr(getattr(resource_tracker, "_resource_tracker", None), "_pid", None)
    for child in psutil.Process().children():
        if child.pid != tracker:
            with suppress(psutil.Error):
                child.kill()
    for one in _begun:
        shutil.rmtree(one.folder, ignore_errors=True)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Threads and processes that are started meanwhile, and theirs, do not hear of Ctrl-C.

    A terminal sends it to the workers too. They are to end with this process, in no disorder.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Starting later, it would have its thread hear again. It removes what a process leaves that
    # ends at once, and need not say so.
    quiet = "ignore:resource_tracker"
    sys.warnoptions.append(quiet)
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.remove(quiet)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(started: Any) -> None:
    """End the workers now: nobody waits for what they do, and they hold nothing to be kept."""
    for nanny in list(started.workers.values()):
        nanny.close_gracefully()  # it does not start another one
        if nanny.pid:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
