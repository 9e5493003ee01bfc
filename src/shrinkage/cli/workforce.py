"""Who trains: threads of this process, or with ``--dask`` the workers of a cluster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from shrinkage.cli import flow
from shrinkage.cli.interruption import Interruption
from shrinkage.cli.options import Options
from shrinkage.data.description import counted
from shrinkage.terminal.screen import Screen

if TYPE_CHECKING:
    from shrinkage.clusters import DaskExecutor


@dataclass(frozen=True)
class Workforce:
    """Where a command has its networks trained.

    Parameters
    ----------
    threads : int
        Networks that are trained at the same time, as far as that is known.
    executor : Executor or None, default None
        Of a cluster, which sends no weights that only the selected fits need; None for threads.
    whole : DaskExecutor or None, default None
        Of the same cluster, with all weights.
    """

    threads: int
    executor: Executor | None = None
    whole: DaskExecutor | None = None

    def __call__(self) -> str:
        """For people: ``"4 workers"``; empty without a cluster."""
        return "" if self.whole is None else counted(self.whole.workers, "worker")


T = TypeVar("T")


def beside(work: Callable[[], T]) -> T:
    """Do what must not be interrupted half done in a thread, which Ctrl-C leaves behind.

    Parameters
    ----------
    work : callable
        What.
    """
    found: Future[T] = Future()

    def do() -> None:
        try:
            found.set_result(work())
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            found.set_exception(error)

    threading.Thread(target=do, name="connecting", daemon=True).start()
    try:
        return found.result()
    except KeyboardInterrupt:
        (Interruption.current or Interruption()).leaves = True
        raise


def _silence() -> None:
    """Dask logs a traceback for each worker that leaves; here the progress tells of workers."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def workforce(options: Options, screen: Screen) -> Iterator[Workforce]:
    """Those whom the command asks for, for as long as it runs.

    Parameters
    ----------
    options : Options
        The command.
    screen : Screen
        Says what is being waited for.

    Yields
    ------
    Workforce

    Raises
    ------
    SettingError
        When a cluster cannot be used.
    """
    if options.dask is None:
        yield Workforce(flow.threads_of(options.threads))
        return
    from shrinkage.clusters import DaskExecutor, cluster
    from shrinkage.clusters.local import end_at_once

    (Interruption.current or Interruption()).lastly.append(end_at_once)
    with ExitStack() as stack:
        with screen.working(f"connecting to Dask at {options.dask}"):
            connecting = cluster(options.dask, options.threads)
            client = beside(lambda: stack.enter_context(connecting))
        _silence()
        whole = DaskExecutor(client)
        threads = whole.workers or flow.threads_of(options.threads)
        yield Workforce(threads, DaskExecutor(client, light=True), whole)
