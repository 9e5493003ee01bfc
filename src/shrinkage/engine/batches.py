"""Several trials as one message to another process, and their fits as its answer.

This is what a worker runs. The rows of a table reach it once: it keeps them by their digest.
"""

from __future__ import annotations

import platform
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part
from shrinkage.data.digests import Digests, digest_of, digests_of
from shrinkage.data.mapped import mapped
from shrinkage.engine.limits import given_up, run_within
from shrinkage.errors import DataError
from shrinkage.study import Fit, Status, Trial

MATTER = ("shrinkage", "numba", "numpy")
"""Packages whose versions decide on the last bits of a fit."""
_KEPT = 4
"""Tables that a worker keeps, the ones used last."""


@dataclass(frozen=True, eq=False)
class Rows:
    """All parts of a table under one name, as they travel.

    Parameters
    ----------
    name : str
        Digest of all that is in the parts.
    parts : mapping of int or None to Part
        By fold; every training row under None.
    """

    name: str
    parts: Mapping[int | None, Part]

    @classmethod
    def of(cls, data: Data) -> Rows:
        """Those of a table."""
        return cls(_name(digests_of(data)), data.by_fold)

    @contextmanager
    def mapped(self) -> Iterator[Rows]:
        """The same for processes of this machine, which share what is large."""
        with mapped(self.parts) as parts:
            yield Rows(self.name, parts)


def _name(digests: Mapping[int | None, str]) -> str:
    return digest_of(digest.encode() for digest in digests.values())


@dataclass(frozen=True, eq=False)
class Batch:
    """Trials that one worker trains one after the other.

    Parameters
    ----------
    trials : tuple of Trial
        In order.
    rows : str
        Name of the table's rows.
    starts : mapping of Trial to ndarray of float32 (P,)
        Initial parameters of some of them.
    versions : mapping of str to str
        Of the packages that matter, in the process that asks.
    limit : float or None
        Seconds after which a training is given up.
    light : bool
        Whether fits of folds come back without their weights, as :meth:`Fit.forget` leaves them.
    """

    trials: tuple[Trial, ...]
    rows: str
    starts: Mapping[Trial, NDArray[np.float32]]
    versions: Mapping[str, str]
    limit: float | None = None
    light: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """What a worker makes of a batch: its fits, or the reason why there are none.

    Parameters
    ----------
    fits : tuple of Fit
        In the order of the trials.
    lacks_rows : bool, default False
        Whether this worker does not have the rows yet; nothing was trained.
    mismatch : str, default ""
        In what its packages differ; nothing was trained.
    """

    fits: tuple[Fit, ...] = ()
    lacks_rows: bool = False
    mismatch: str = ""


_ROWS: OrderedDict[str, Rows] = OrderedDict()


def compute(
    batch: Batch, rows: Rows | None = None, *, halted: Callable[[], bool] | None = None
) -> Answer:
    """Train the trials of a batch, in this thread.

    Parameters
    ----------
    batch : Batch
        What to train.
    rows : Rows, optional
        Where they come with it; they may be here from before, or are asked for.
    halted : callable, optional
        Asked now and then whether nobody waits for the answer any more.

    Returns
    -------
    Answer

    Raises
    ------
    DataError
        If the rows are not those that were sent.
    Interrupted
        If it was halted.
    """
    mismatch = difference(batch.versions, versions())
    if mismatch:
        return Answer(mismatch=f"{platform.node()} has {mismatch}")
    if rows is not None:
        _keep(rows)
    # Held here: another thread of this worker may push them out meanwhile.
    rows = _ROWS.get(batch.rows)
    if rows is None:
        return Answer(lacks_rows=True)
    fits = []
    for trial in batch.trials:
        part, start = rows.parts[trial.fold], batch.starts.get(trial)
        try:
            fit = run_within(trial, part, start, limit=batch.limit, halted=halted)
        except MemoryError:
            fit = given_up(trial, part, Status.LOST)
        fits.append(fit.forget() if batch.light and trial.fold is not None else fit)
    return Answer(tuple(fits))


def _keep(rows: Rows) -> None:
    """Remember rows under their name, which is checked once."""
    if rows.name not in _ROWS:
        digests = Digests()
        if _name({fold: digests.part(part) for fold, part in rows.parts.items()}) != rows.name:
            raise DataError(
                f"the rows that reached {platform.node()} are not those that were sent; look for a "
                "fault of its memory or network"
            )
        _ROWS[rows.name] = rows
    _ROWS.move_to_end(rows.name)
    while len(_ROWS) > _KEPT:
        _ROWS.popitem(last=False)


@cache
def versions() -> Mapping[str, str]:
    """Versions here of the packages that matter."""
    return {package: version(package) for package in MATTER}


def difference(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    """In what versions differ, in words; empty where they do not.

    Examples
    --------
    >>> difference({"numpy": "2.4.6", "numba": "0.68.1"}, {"numpy": "2.4.6", "numba": "0.63.0"})
    'numba 0.63.0 instead of 0.68.1'
    """
    return ", ".join(
        f"{package} {found.get(package, 'missing')} instead of {wanted[package]}"
        for package in wanted
        if found.get(package) != wanted[package]
    )
