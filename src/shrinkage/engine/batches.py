"""Several trials as one message to another process, and their fits as its answer.

This is what a worker runs. The rows of a fold reach it once: it keeps them by their digest.
"""

from __future__ import annotations

import platform
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Part
from shrinkage.engine.limits import given_up, run_within
from shrinkage.errors import DataError
from shrinkage.study import Fit, Status, Trial

MATTER = ("shrinkage", "numba", "numpy")
"""Packages whose versions decide on the last bits of a fit."""
_KEPT = 64
"""Parts that a worker keeps, the ones used last."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Trials that one worker trains one after the other.

    Parameters
    ----------
    trials : tuple of Trial
        In order.
    digests : mapping of int or None to str
        Fold → digest of its part, for the folds of the trials.
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
    digests: Mapping[int | None, str]
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
    missing : frozenset of str, default empty
        Digests of parts that this worker does not have yet; nothing was trained.
    mismatch : str, default ""
        In what its packages differ; nothing was trained.
    """

    fits: tuple[Fit, ...] = ()
    missing: frozenset[str] = field(default_factory=frozenset)
    mismatch: str = ""


_PARTS: OrderedDict[str, Part] = OrderedDict()
_CHECKED: WeakKeyDictionary[Part, str] = WeakKeyDictionary()


def compute(batch: Batch, *parts: Part, halted: Callable[[], bool] | None = None) -> Answer:
    """Train the trials of a batch, in this thread.

    Parameters
    ----------
    batch : Batch
        What to train.
    *parts : Part
        Those of its folds that come with it; the others are here from before, or are asked for.
    halted : callable, optional
        Asked now and then whether nobody waits for the answer any more.

    Returns
    -------
    Answer

    Raises
    ------
    DataError
        If a part is none of those that were sent.
    Interrupted
        If it was halted.
    """
    mismatch = difference(batch.versions, versions())
    if mismatch:
        return Answer(mismatch=f"{platform.node()} has {mismatch}")
    wanted = set(batch.digests.values())
    for part in parts:
        _keep(part, wanted)
    missing = wanted - _PARTS.keys()
    if missing:
        return Answer(missing=frozenset(missing))
    # The parts are held here: another thread of this worker may push them out meanwhile.
    here = {fold: _PARTS[digest] for fold, digest in batch.digests.items()}
    fits = []
    for trial in batch.trials:
        part, start = here[trial.fold], batch.starts.get(trial)
        try:
            fit = run_within(trial, part, start, limit=batch.limit, halted=halted)
        except MemoryError:
            fit = given_up(trial, part, Status.LOST)
        fits.append(fit.forget() if batch.light and trial.fold is not None else fit)
    return Answer(tuple(fits))


def _keep(part: Part, wanted: set[str]) -> None:
    """Remember a part under its digest, which is computed once for each that arrives."""
    digest = _CHECKED.get(part)
    if digest is None:
        digest = _CHECKED[part] = digest_of(part)
    if digest not in wanted:
        raise DataError(
            f"the rows of a fold that reached {platform.node()} are not those that were sent; "
            "look for a fault of its memory or network"
        )
    _PARTS[digest] = part
    _PARTS.move_to_end(digest)
    while len(_PARTS) > max(_KEPT, len(wanted)):
        _PARTS.popitem(last=False)


def digest_of(part: Part) -> str:
    """BLAKE2b over all that a part holds, as 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    for one in fields(part):
        value = getattr(part, one.name)
        if isinstance(value, np.ndarray):
            digest.update(repr((value.shape, value.dtype.str)).encode())
            digest.update(np.ascontiguousarray(value).data)
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


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
