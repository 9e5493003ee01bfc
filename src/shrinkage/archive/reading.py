"""What a study file says, as records: trials, fits, and the whole study."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

from shrinkage.archive import kept_data
from shrinkage.archive.opening import opened
from shrinkage.archive.records import PENALTIES, Unreadable, canonical, parsed, untold
from shrinkage.archive.rows import SCALARS, Rows, fit_of
from shrinkage.data import Data
from shrinkage.data.digests import digest_of, digests_of
from shrinkage.network import Network, OwnNetwork
from shrinkage.study import Fit, Study, Trial
from shrinkage.training import Training

_TRIALS = """
SELECT t.id, t.network, t.training, t.penalty, t.lam, a.digest, a.fold, t.seed, t.rows
FROM trials t JOIN parts a ON a.id = t.part
"""
_FITS = f"""
SELECT f.trial, f.digest, h.tensors, o.tensors, p.tensors, f.seconds,
       {", ".join(f"f.{name}" for name in SCALARS)}
FROM fits f LEFT JOIN histories h ON h.trial = f.trial LEFT JOIN outputs o ON o.trial = f.trial
     LEFT JOIN parameters p ON p.trial = f.trial
"""  # noqa: S608  # names of our own columns
_AT_ONCE = 500


def open_study(
    path: str | os.PathLike[str],
    *,
    data: Data | None = None,
    network: OwnNetwork | None = None,
) -> Study:
    """The study inside a file.

    Parameters
    ----------
    path : str or path-like
        The file, which another process may be writing.
    data : Data, optional
        For a study whose data are too large to lie in the file, and whose source is elsewhere now.
    network : OwnNetwork, optional
        For a study of a network of the user's own: what stands for it, with the same layout.

    Returns
    -------
    Study
        The trials of the last plan with their fits, to the bit as they were.

    Raises
    ------
    SettingError
        When the file cannot be opened, is damaged, or needs data that are not there.
    """
    with opened(path) as connection:
        if data is None:
            data = kept_data.again(connection)
        else:
            kept_data.require_same(connection, data)
        return study_of(connection, data, network)


def study_of(connection: sqlite3.Connection, data: Data, network: OwnNetwork | None) -> Study:
    """The last plan's trials with their fits; :class:`Unreadable` where one makes no sense."""
    trials = trials_of(connection, data, network)
    places = connection.execute("SELECT id FROM trials WHERE place IS NOT NULL ORDER BY place")
    wanted = {key: trials[key] for (key,) in places if key in trials}
    row = connection.execute("SELECT versions FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    said = {} if row is None else parsed(row[0])
    versions = {str(name): str(value) for name, value in dict(said).items()}
    # By their ids, not by their trials as `Study.of` does: to look up a hundred thousand of these
    # takes a second.
    found = dict(_fits_by_id(connection, wanted, data))
    fits = tuple(found[key] for key in wanted if key in found)
    names = {
        (untold(penalty), float(lam)): str(name)
        for penalty, lam, name in kept_data.fact(connection, "names") or ()
    }
    screened = int(kept_data.fact(connection, "screened") or 0)
    return Study(data, tuple(wanted.values()), fits, versions, names, screened)


def trials_of(
    connection: sqlite3.Connection, data: Data, network: OwnNetwork | None = None
) -> dict[int, Trial]:
    """Trials by their ids: those of folds that the data have; the same rows, under one index."""
    made = records_of(connection, network)
    networks = {key: one for key, one in made.items() if isinstance(one, Network | OwnNetwork)}
    trainings = {key: one for key, one in made.items() if isinstance(one, Training)}
    penalties = {key: one for key, one in made.items() if isinstance(one, PENALTIES)}
    folds = digests_of(data)
    found = {}
    for key, of, how, penalty, lam, digest, fold, seed, some in connection.execute(_TRIALS):
        if folds.get(fold) != digest:
            continue
        sound = (
            of in networks
            and how in trainings
            and (penalty is None or penalty in penalties)
            and type(lam) is float
            and 0 <= lam < inf
            and type(seed) is int
            and (some is None or type(some) is int)
        )
        if not sound:
            raise Unreadable("a trial")
        strength = None if penalty is None else penalties[penalty]
        found[key] = Trial(networks[of], trainings[how], strength, lam, fold, seed, some)
    return found


def records_of(connection: sqlite3.Connection, network: OwnNetwork | None = None) -> dict[int, Any]:
    """Networks, trainings and penalties by their ids."""
    rows = connection.execute("SELECT id, value FROM records")
    return {key: untold(parsed(value), own=network) for key, value in rows}


def answers(
    connection: sqlite3.Connection, data: Data, network: OwnNetwork | None = None
) -> dict[Trial, Fit]:
    """All fits that hold for these data; :class:`Unreadable` at a damaged one."""
    trials = trials_of(connection, data, network)
    return {fit.trial: fit for fit in fits_of(connection, trials, data)}


def fits_of(
    connection: sqlite3.Connection, trials: Mapping[int, Trial], data: Data | None
) -> Iterator[Fit]:
    """The fits of these trials, as far as there are any; :class:`Unreadable` at a damaged one."""
    return (fit for _, fit in _fits_by_id(connection, trials, data))


def _fits_by_id(
    connection: sqlite3.Connection, trials: Mapping[int, Trial], data: Data | None
) -> Iterator[tuple[int, Fit]]:
    keys = [key for (key,) in connection.execute("SELECT trial FROM fits") if key in trials]
    for key, rows, _ in whole_rows(connection, keys):
        trial = trials[key]
        yield key, fit_of(trial, rows, None if data is None else data.part(trial.fold))


def whole_rows(connection: sqlite3.Connection, keys: list[int]) -> Iterator[tuple[int, Rows, str]]:
    """Some fits' ids, rows and digests; :class:`Unreadable` where rows are not what was written."""
    asked = questions(connection)
    for start in range(0, len(keys), _AT_ONCE):
        some = ",".join(str(int(key)) for key in keys[start : start + _AT_ONCE])
        told = connection.execute(f"{_FITS} WHERE f.trial IN ({some})")
        for key, digest, history, outputs, parameters, seconds, *scalars in told:
            tensors = {"histories": history, "outputs": outputs}
            if parameters is not None:
                tensors["parameters"] = parameters
            rows = Rows(tuple(scalars), tensors, seconds)
            if type(seconds) is not float or rows.digest(asked[key]) != digest:
                raise Unreadable(f"fit {key}")
            yield key, rows, digest


def questions(connection: sqlite3.Connection) -> dict[int, str]:
    """For each trial what its fit's digest takes for the question."""
    said = {
        key: digest_of([str(value).encode()])
        for key, value in connection.execute("SELECT id, value FROM records")
    }

    @cache
    def text(*told: Any) -> str:  # most trials share all but their λ
        return canonical(told)

    return {
        key: _joined(
            text(said.get(of, ""), said.get(how, ""), said.get(penalty)),
            lam,
            text(digest, fold, seed, some),
        )
        for key, of, how, penalty, lam, digest, fold, seed, some in connection.execute(_TRIALS)
    }


def question(network: Any, training: Any, penalty: Any, lam: float, *where: Any) -> str:
    """Digests of network, training and penalty, λ, digest and index of the fold, seed, rows."""
    return _joined(canonical((network, training, penalty)), lam, canonical(where))


def _joined(what: str, lam: float, where: str) -> str:
    """Two lists and a number between them as one list, all of them JSON."""
    return f"{what[:-1]},{lam!r},{where[1:]}"


def plans_of(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """What each run wanted to try, as JSON, the first run first."""
    found = connection.execute("SELECT plan FROM runs ORDER BY id").fetchall()
    plans = [parsed(value) for (value,) in found]
    if not all(isinstance(plan, dict) for plan in plans):
        raise Unreadable("a plan")
    return plans


@dataclass(frozen=True)
class LastRun:
    """What a file says of the last run that wrote into it; all as JSON has it."""

    started: str
    ended: str | None
    complete: bool
    command: str
    plan: dict[str, Any]
    seconds: dict[str, Any]
    environment: dict[str, Any]


def last_run(connection: sqlite3.Connection) -> LastRun | None:
    """The last run; None when there was none."""
    row = connection.execute(
        "SELECT started, ended, complete, command, plan, seconds, environment "
        "FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    started, ended, complete, command, *said = row
    plan, seconds, environment = (dict(parsed(one or "{}")) for one in said)
    return LastRun(str(started), ended, bool(complete), str(command), plan, seconds, environment)


def plan_fields(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a plan from its JSON."""
    return {str(name): untold(value) for name, value in plan.items()}
