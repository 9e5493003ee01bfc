"""What is left of a damaged study file, as a new one: every fit that is whole to the bit."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from shrinkage.archive.copying import RECOVERED, RUN, Copier, new_file
from shrinkage.archive.kept_data import digest_of_said
from shrinkage.archive.reading import question
from shrinkage.archive.records import NONSENSE, Unreadable, canonical, parsed, told, untold
from shrinkage.archive.rows import SCALARS, TENSORS, Rows
from shrinkage.archive.wreck import nothing, rows_left, wreck
from shrinkage.data.digests import digest_of
from shrinkage.errors import SettingError

_FACTS = (
    *("data", "digest", "name", "fingerprint", "rows", "folds", "description", "source"),
    *("stage", "names", "screened", "spent"),
)
_TRIAL = "network, training, penalty, lam, part, seed, rows, place"


@dataclass(frozen=True)
class Salvaged:
    """What could be read of a damaged file.

    Parameters
    ----------
    fits : int
        Whole, in the new file.
    damaged : int
        That are known of but are not whole, or whose question is lost.
    exact : bool
        Whether no more than these are lost: else the file does not even tell how many it had.
    data : bool
        Whether the data are there too.
    plan : bool
        Whether it is known what was to be tried.
    """

    fits: int
    damaged: int
    exact: bool
    data: bool
    plan: bool


def recover(path: str | os.PathLike[str], into: str | os.PathLike[str]) -> Salvaged:
    """Save what is left of a study file.

    Parameters
    ----------
    path : str or path-like
        Truncated or damaged; it stays as it is.
    into : str or path-like
        A new file.

    Returns
    -------
    Salvaged

    Raises
    ------
    SettingError
        When no fit can be read, or nothing can be written.
    """
    source = Path(path)
    if not source.is_file():
        raise SettingError(f"there is no study file '{path}'; check the path")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "damaged"
        try:
            shutil.copyfile(source, copy)
            log = source.with_name(f"{source.name}-wal")
            if log.exists():
                shutil.copyfile(log, copy.with_name("damaged-wal"))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SettingError(f"cannot read '{path}': {reason}") from error
        with closing(wreck(copy, path)) as damaged, new_file(into) as made:
            return _salvage(damaged, made, path)


def _salvage(
    damaged: sqlite3.Connection, made: sqlite3.Connection, path: str | os.PathLike[str]
) -> Salvaged:
    whole, copier = _facts(damaged, made), Copier(made)
    runs = _runs(damaged, copier)
    records = {
        key: (kind, title, value)
        for key, kind, title, value in rows_left(damaged, "records", "id, kind, title, value")
        if _is_record(kind, title, value)
    }
    new, asked = _trials(damaged, copier, records)
    had = _count(damaged)
    fits, lost = _fits(damaged, copier, new, asked, runs)
    if not fits:
        raise nothing(path)
    exact = had is not None and had >= fits + lost
    return Salvaged(fits, had - fits if exact and had else lost, exact, whole, bool(runs))


def _count(damaged: sqlite3.Connection) -> int | None:
    """How many fits there were; None where some of their table is lost."""
    with suppress(sqlite3.Error):
        return int(damaged.execute("SELECT count(*) FROM fits").fetchone()[0])
    return None


def _trials(
    damaged: sqlite3.Connection, copier: Copier, records: Mapping[int, tuple[str, str, str]]
) -> tuple[dict[int, int], dict[int, str]]:
    """Copy the trials whose question is whole; old ids → new ones, and → questions."""
    parts = {
        key: (digest, fold)
        for key, digest, fold in rows_left(damaged, "parts", "id, digest, fold")
        if isinstance(digest, str) and (fold is None or isinstance(fold, int))
    }
    digests = {key: digest_of([value.encode()]) for key, (_, _, value) in records.items()}
    new, asked, places = {}, {}, []
    for key, *said, place in rows_left(damaged, "trials", f"id, {_TRIAL}"):
        of, how, penalty, lam, part, seed, some = said
        whole = (
            of in records
            and how in records
            and (penalty is None or penalty in records)
            and part in parts
            and type(lam) is float
            and isfinite(lam)
            and type(seed) is int
            and (some is None or type(some) is int)
        )
        if not whole:
            continue
        digest, fold = parts[part]
        asked[key] = question(
            digests[of], digests[how], digests.get(penalty), lam, digest, fold, seed, some
        )
        new[key] = copier.trial(
            (
                copier.record(*records[of]),
                copier.record(*records[how]),
                None if penalty is None else copier.record(*records[penalty]),
                lam,
                copier.part(digest, fold),
                seed,
                some,
            )
        )
        if isinstance(place, int):
            places.append((place, new[key]))
    copier.into.executemany("UPDATE trials SET place = ? WHERE id = ?", places)
    return new, asked


def _facts(damaged: sqlite3.Connection, made: sqlite3.Connection) -> bool:
    """Copy the facts and the data; whether the data are whole."""
    facts = {}
    for name in _FACTS:
        with suppress(sqlite3.Error, Unreadable):
            row = damaged.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            if row is not None:
                facts[name] = parsed(row[0])
    names = _arrays_in(facts.get("data"))
    arrays = {}
    for name in names:
        with suppress(sqlite3.Error):
            row = damaged.execute("SELECT tensors FROM arrays WHERE digest = ?", (name,)).fetchone()
            if row is not None and isinstance(row[0], bytes) and digest_of([row[0]]) == name:
                arrays[name] = row[0]
    said = facts.get("digest") in (None, digest_of_said(facts.get("data")))
    whole = said and bool(names) and len(arrays) == len(names)
    if not whole:
        facts |= {"data": None, "digest": None}
        arrays = {}
    made.executemany(
        "INSERT INTO facts VALUES (?, ?)", [(name, canonical(said)) for name, said in facts.items()]
    )
    made.executemany("INSERT INTO arrays VALUES (?, ?)", arrays.items())
    return whole


def _arrays_in(said: Any) -> set[str]:
    """Names of the arrays that a JSON value points to."""
    found, waiting = set(), [said]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("array"), str):
                found.add(one["array"])
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return found


def _runs(damaged: sqlite3.Connection, copier: Copier) -> dict[int, int]:
    """Copy what is whole of the runs and their findings; old ids → new ones."""
    runs: dict[int, int] = {}
    for key, *run in rows_left(damaged, "runs", f"id, {RUN}"):
        try:
            for said in (run[4], run[6], run[7]):
                if not isinstance(parsed(said), dict):
                    raise Unreadable("a run")
        except Unreadable:
            continue
        runs[key] = copier.run(run)
    for key, value in rows_left(damaged, "findings", "run, value"):
        with suppress(Unreadable):
            if key in runs and isinstance(parsed(value), dict):
                copier.into.execute(
                    "INSERT OR IGNORE INTO findings VALUES (?, ?)", (runs[key], value)
                )
    return runs


def _is_record(kind: Any, title: Any, value: Any) -> bool:
    try:
        made = untold(parsed(value))
        return isinstance(kind, str) and isinstance(title, str) and canonical(told(made)) == value
    except (Unreadable, *NONSENSE):
        return False


def _fits(
    damaged: sqlite3.Connection,
    copier: Copier,
    new: dict[int, int],
    asked: dict[int, str],
    runs: dict[int, int],
) -> tuple[int, int]:
    fits, lost = 0, 0
    other = _unknown_run(copier, runs)
    columns = f"trial, run, digest, seconds, {', '.join(SCALARS)}"
    for key, run, digest, took, *scalars in rows_left(damaged, "fits", columns):
        tensors = {}
        for table in TENSORS:
            with suppress(sqlite3.Error):
                row = damaged.execute(
                    f"SELECT tensors FROM {table} WHERE trial = ?",  # noqa: S608  # one of our own
                    (key,),
                ).fetchone()
                if row is not None and isinstance(row[0], bytes):
                    tensors[table] = row[0]
        seconds = took if isinstance(took, float) else 0.0
        rows = Rows(tuple(scalars), tensors, seconds)
        try:
            whole = key in new and rows.digest(asked[key]) == digest
        except NONSENSE:  # a BLOB or an infinity where neither belongs
            whole = False
        if whole and copier.fit(
            new[key], (runs.get(run, other), *scalars, seconds, digest), tensors
        ):
            fits += 1
        else:
            lost += 1
    return fits, lost


def _unknown_run(copier: Copier, runs: dict[int, int]) -> int:
    """The run of fits whose own is lost."""
    if runs:
        return max(runs.values())
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return copier.run((now, now, 0, "", "{}", None, "{}", canonical(RECOVERED)))
