"""From what a command line says to a Dask cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from shrinkage.errors import SettingError

if TYPE_CHECKING:
    import distributed

_PATIENCE = 10.0
"""Seconds that a scheduler may take to answer."""
_ADDRESS = re.compile(
    r"(?P<protocol>tcp|tls|wss?)://(?P<host>\[[^\]]+\]|[^:/\s]+):(?P<port>\d{1,5})/?"
)
_LOCAL = re.compile(r"local(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Place:
    """Where a Dask cluster is.

    Parameters
    ----------
    address : str or None
        Of its scheduler; None for one that is started on this machine.
    dashboard : int or None, default None
        Port of Dask's dashboard, for one that is started here.
    """

    address: str | None
    dashboard: int | None = None


def read_place(text: str) -> Place:
    """Understand the value of ``--dask``.

    Parameters
    ----------
    text : str
        ``"tcp://host:port"``, ``"local"``, or ``"local:8787"`` with the dashboard at that port.

    Returns
    -------
    Place

    Raises
    ------
    SettingError
        When it is neither.

    Examples
    --------
    >>> read_place("tcp://scheduler:8786").address, read_place("local:8787").dashboard
    ('tcp://scheduler:8786', 8787)
    """
    here, there = _LOCAL.fullmatch(text.strip()), _ADDRESS.fullmatch(text.strip())
    port = int((here or there or {"port": None})["port"] or 1)
    if (here is None and there is None) or not 0 < port < 65536:
        raise SettingError(
            f"'{text}' in --dask is no scheduler; write its address such as tcp://host:8786, or "
            "local for workers on this machine"
        )
    if here is not None:
        return Place(None, None if here["port"] is None else port)
    return Place(text.strip().rstrip("/"))


@contextmanager
def cluster(place: Place | str, workers: int | None = None) -> Iterator[distributed.Client]:
    """A client of the cluster at this place, for as long as it is needed.

    One on this machine is started, listens on the loopback interface alone, and ends with it.

    Parameters
    ----------
    place : Place or str
        Where; as a string what :func:`read_place` understands.
    workers : int or None, default None
        Processes of one on this machine, each with one thread; by default one for each core.

    Yields
    ------
    distributed.Client

    Raises
    ------
    SettingError
        When Dask is not installed, or the scheduler does not answer.
    """
    place = read_place(place) if isinstance(place, str) else place
    if find_spec("distributed") is None:
        raise SettingError(
            "this needs Dask; install it with: pip install 'shrinkage[dask]', here and on the "
            "workers"
        )
    import distributed

    from shrinkage.clusters.local import workers_here

    if place.address is None:
        with workers_here(workers, place.dashboard) as client:
            yield client
        return
    try:
        client = distributed.Client(place.address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"no scheduler answers at {place.address} ({_reason(error)}); start one with: "
            "dask scheduler, or look at address, port and firewall"
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=1)


def _reason(error: BaseException) -> str:
    """The innermost cause that has words, without what is for programs."""
    cause: BaseException | None = error
    words = type(error).__name__
    while cause is not None:
        words = getattr(cause, "strerror", None) or str(cause).strip() or words
        cause = cause.__cause__
    return words.splitlines()[0].rstrip(".")
