"""What a study file says, as records: trials, fits, and the whole study."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shrinkage.archive import kept_data
from shrinkage.archive.opening import opened
from shrinkage.archive.records import PENALTIES, Unreadable, canonical, parsed, untold
from shrinkage.archive.rows import SCALARS, TENSORS, Rows, fit_of
from shrinkage.data import Data
from shrinkage.data.digests import digest_of, digests_of
from shrinkage.network import Network, OwnNetwork
from shrinkage.study import Fit, Study, Trial
from shrinkage.training import Training

_TRIALS = """
SELECT t.id, t.network, t.training, t.penalty, t.lam, a.digest, a.fold, t.seed, t.rows
FROM trials t JOIN parts a ON a.id = t.part
"""
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
    places = connection.execute(
        "SELECT id FROM trials WHERE place IS NOT NULL ORDER BY place"
    ).fetchall()
    planned = [trials[key] for (key,) in places if key in trials]
    wanted = {key: trials[key] for (key,) in places if key in trials}
    row = connection.execute("SELECT versions FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    said = {} if row is None else parsed(row[0])
    versions = {str(name): str(value) for name, value in dict(said).items()}
    return Study.of(data, planned, fits_of(connection, wanted, data), versions)


def trials_of(
    connection: sqlite3.Connection, data: Data, network: OwnNetwork | None = None
) -> dict[int, Trial]:
    """Trials by their ids: those of folds that the data have; the same rows, under one index."""
    made = records_of(connection, network)
    folds = digests_of(data)
    found = {}
    for key, of, how, penalty, lam, digest, fold, seed, some in connection.execute(_TRIALS):
        if folds.get(fold) != digest:
            continue
        strength = None if penalty is None else made.get(penalty)
        sound = (
            isinstance(made.get(of), Network | OwnNetwork)
            and isinstance(made.get(how), Training)
            and (penalty is None or isinstance(strength, PENALTIES))
            and type(lam) is float
            and 0 <= lam < float("inf")
            and type(seed) is int
            and (some is None or type(some) is int)
        )
        if not sound:
            raise Unreadable("a trial")
        found[key] = Trial(made[of], made[how], strength, lam, fold, seed, some)
    return found


def records_of(connection: sqlite3.Connection, network: OwnNetwork | None = None) -> dict[int, Any]:
    """Networks, trainings and penalties by their ids."""
    rows = connection.execute("SELECT id, value FROM records")
    return {key: untold(parsed(value), own=network) for key, value in rows}


def fits_of(
    connection: sqlite3.Connection, trials: Mapping[int, Trial], data: Data | None
) -> Iterator[Fit]:
    """The fits of these trials, as far as there are any; :class:`Unreadable` at a damaged one."""
    keys = [key for (key,) in connection.execute("SELECT trial FROM fits") if key in trials]
    for key, rows, _ in whole_rows(connection, keys):
        trial = trials[key]
        yield fit_of(trial, rows, None if data is None else data.part(trial.fold))


def whole_rows(connection: sqlite3.Connection, keys: list[int]) -> Iterator[tuple[int, Rows, str]]:
    """Some fits' ids, rows and digests; :class:`Unreadable` where rows are not what was written."""
    asked = questions(connection)
    for start in range(0, len(keys), _AT_ONCE):
        for key, rows, digest in _rows_of(connection, keys[start : start + _AT_ONCE]):
            if rows.digest(asked[key]) != digest:
                raise Unreadable(f"fit {key}")
            yield key, rows, digest


def _rows_of(connection: sqlite3.Connection, keys: list[int]) -> Iterator[tuple[int, Rows, str]]:
    """What the file says of some fits: id, rows and digest."""
    some = ",".join(str(int(key)) for key in keys)
    tensors: dict[int, dict[str, bytes]] = {key: {} for key in keys}
    for table in TENSORS:
        # The names are our own, and the keys whole numbers.
        found = connection.execute(f"SELECT trial, tensors FROM {table} WHERE trial IN ({some})")  # noqa: S608
        for key, content in found:
            tensors[key][table] = content
    told = connection.execute(
        # As above.
        f"SELECT trial, digest, seconds, {', '.join(SCALARS)} FROM fits WHERE trial IN ({some})"  # noqa: S608
    )
    for key, digest, seconds, *scalars in told:
        if not isinstance(seconds, float) or not {"histories", "outputs"} <= tensors[key].keys():
            raise Unreadable(f"fit {key}")
        yield key, Rows(tuple(scalars), tensors[key], seconds), str(digest)


def questions(connection: sqlite3.Connection) -> dict[int, str]:
    """For each trial what its fit's digest takes for the question."""
    said = {
        key: digest_of([str(value).encode()])
        for key, value in connection.execute("SELECT id, value FROM records")
    }
    return {
        key: question(
            said.get(of, ""), said.get(how, ""), said.get(penalty), lam, digest, fold, seed, some
        )
        for key, of, how, penalty, lam, digest, fold, seed, some in connection.execute(_TRIALS)
    }


def question(*told: Any) -> str:
    """Digests of network, training and penalty, λ, digest and index of the fold, seed, rows."""
    return canonical(told)


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


def plan_fields(plan: Mapping[str, Any], network: OwnNetwork | None = None) -> dict[str, Any]:
    """The fields of a plan from its JSON."""
    return {str(name): untold(value, own=network) for name, value in plan.items()}
