"""How many networks are trained at the same time, and where."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Executor

from joblib.parallel import get_active_backend

from shrinkage.engine.pool import available_threads
from shrinkage.errors import SettingError


def threads_for(n_jobs: int | None) -> int:
    """Threads for an estimator's `n_jobs`; what is trained does not depend on them.

    Parameters
    ----------
    n_jobs : int or None
        A number is obeyed; −1 stands for every core that this process may use, −2 for all but one.
        None asks :func:`joblib.parallel_config` first. Without an answer it is every core, or, for
        a worker of somebody else's :class:`joblib.Parallel`, the share that joblib left it: mostly
        one.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    SettingError
        When `n_jobs` is 0 or no integer.

    Examples
    --------
    >>> from joblib import parallel_config
    >>> with parallel_config(n_jobs=3):
    ...     threads_for(None), threads_for(2)
    (3, 2)
    """
    backend, configured = get_active_backend()
    wanted = configured if n_jobs is None else n_jobs
    if wanted is None:
        return _share() if backend.nesting_level else available_threads()
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted == 0:
        raise SettingError(
            f"n_jobs is {wanted!r}; give a number of threads, −1 for every core, or None"
        )
    return wanted if wanted > 0 else max(1, available_threads() + 1 + wanted)


def executor_here() -> Executor | None:
    """The cluster that ``joblib.parallel_config("dask")`` names, as an executor; None without.

    Inside a worker of that cluster there is none: joblib has parallelized already.
    """
    backend, _ = get_active_backend()
    client = getattr(backend, "client", None)
    if client is None or type(backend).__name__ != "DaskDistributedBackend":
        return None
    if backend.nesting_level:
        return None
    from shrinkage.clusters import DaskExecutor

    return DaskExecutor(client)


def _share() -> int:
    """Threads that joblib leaves to one of its workers; the ones of a pool of threads get one."""
    if multiprocessing.parent_process() is None:
        return 1
    share = os.environ.get("NUMBA_NUM_THREADS", "1")
    return max(1, min(int(share), available_threads())) if share.isdigit() else 1
