"""What is left of a damaged study file, as a new one: every fit that is whole to the bit."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shrinkage.archive.copying import Copier, new_file
from shrinkage.archive.opening import harden
from shrinkage.archive.reading import question
from shrinkage.archive.records import Unreadable, canonical, parsed, told, untold
from shrinkage.archive.rows import SCALARS, TENSORS, Rows
from shrinkage.archive.schema import create
from shrinkage.archive.tensors import digest_of
from shrinkage.errors import SettingError

_FACTS = ("data", "name", "fingerprint", "rows", "description", "source", "stage")
_RUN = "started, ended, complete, command, plan, seconds, versions, environment"
_TRIAL = "network, training, penalty, lam, part, seed, rows, place"
_MOST = 10_000_000
"""Ids that are asked for one by one where a table cannot be read in order."""
_PAGE = 4096


@dataclass(frozen=True)
class Salvaged:
    """What could be read of a damaged file.

    Parameters
    ----------
    fits : int
        Whole, in the new file.
    damaged : int
        That were seen but are not whole, or whose question is lost.
    data : bool
        Whether the data are there too.
    plan : bool
        Whether it is known what was to be tried.
    """

    fits: int
    damaged: int
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
        When nothing can be read, or nothing can be written.
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
        with closing(_open(copy, path)) as damaged, new_file(into) as made:
            return _salvage(damaged, made)


def _open(copy: Path, path: str | os.PathLike[str]) -> sqlite3.Connection:
    """A connection that reads whatever it can, if need be with a first page made anew.

    SQLite gives the tables of a new file the same pages each time, and they never move.
    """
    for again in (False, True):
        if again:
            _renew_first_page(copy)
        connection = sqlite3.connect(copy, isolation_level=None)
        try:
            connection.execute("PRAGMA writable_schema = ON")  # opens what is shorter than it says
            harden(connection)
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        except sqlite3.Error:
            names = set()
        if {"fits", "trials", "records", "parts"} <= names:
            return connection
        connection.close()
    raise SettingError(f"nothing of a study can be read in '{path}'; bring back a copy of it")


def _renew_first_page(copy: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "fresh"
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            create(connection)
            connection.execute("COMMIT")
        page = bytearray(fresh.read_bytes()[:_PAGE])
    pages = copy.stat().st_size // _PAGE
    page[28:32] = pages.to_bytes(4, "big")
    page[92:96] = page[24:28]
    for field in (slice(32, 36), slice(36, 40)):  # free pages: none that anyone needs
        page[field] = bytes(4)
    with copy.open("r+b") as file:
        file.write(page)


def _salvage(damaged: sqlite3.Connection, made: sqlite3.Connection) -> Salvaged:
    whole = _facts(damaged, made)
    runs = _runs(damaged, made)
    records = {
        key: (kind, title, value)
        for key, kind, title, value in _rows(damaged, "records", "id, kind, title, value")
        if _is_record(kind, title, value)
    }
    parts = {
        key: (digest, fold)
        for key, digest, fold in _rows(damaged, "parts", "id, digest, fold")
        if isinstance(digest, str) and (fold is None or isinstance(fold, int))
    }
    copier, new, asked = Copier(made), {}, {}
    places = []
    for key, of, how, penalty, lam, part, seed, some, place in _rows(
        damaged, "trials", f"id, {_TRIAL}"
    ):
        known = of in records and how in records and part in parts and type(lam) is float
        if not known or (penalty is not None and penalty not in records):
            continue
        if type(seed) is not int or not (some is None or type(some) is int):
            continue
        said = [
            None if one is None else digest_of([records[one][2].encode()])
            for one in (of, how, penalty)
        ]
        digest, fold = parts[part]
        asked[key] = question(*said, lam, digest, fold, seed, some)
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
    made.executemany("UPDATE trials SET place = ? WHERE id = ?", places)
    fits, lost = _fits(damaged, copier, new, asked, runs)
    return Salvaged(fits, lost, whole, bool(runs) and max(runs) > 0)


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
    whole = bool(names) and len(arrays) == len(names)
    if not whole:
        facts["data"] = None
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


def _runs(damaged: sqlite3.Connection, made: sqlite3.Connection) -> dict[int, int]:
    """Copy what is whole of the runs and their findings; old ids → new ones, 0 for lost ones."""
    runs: dict[int, int] = {}
    for key, *run in _rows(damaged, "runs", f"id, {_RUN}"):
        try:
            for said in (run[4], run[6], run[7]):
                if not isinstance(parsed(said), dict):
                    raise Unreadable("a run")
        except Unreadable:
            continue
        marks = ", ".join("?" * len(run))
        found = made.execute(f"INSERT INTO runs ({_RUN}) VALUES ({marks})", run)  # noqa: S608
        runs[key] = int(found.lastrowid or 0)
    for key, value in _rows(damaged, "findings", "run, value"):
        with suppress(Unreadable):
            if key in runs and isinstance(parsed(value), dict):
                made.execute("INSERT OR IGNORE INTO findings VALUES (?, ?)", (runs[key], value))
    return runs


def _is_record(kind: Any, title: Any, value: Any) -> bool:
    try:
        made = untold(parsed(value))
        return isinstance(kind, str) and isinstance(title, str) and canonical(told(made)) == value
    except (Unreadable, SettingError):
        return False


def _fits(
    damaged: sqlite3.Connection,
    copier: Copier,
    new: dict[int, int],
    asked: dict[int, str],
    runs: dict[int, int],
) -> tuple[int, int]:
    fits, lost = 0, 0
    other = _unknown_run(copier.into, runs)
    columns = f"trial, run, digest, seconds, {', '.join(SCALARS)}"
    for key, run, digest, took, *scalars in _rows(damaged, "fits", columns):
        tensors = {}
        for table in TENSORS:
            with suppress(sqlite3.Error):
                row = damaged.execute(
                    f"SELECT tensors FROM {table} WHERE trial = ?",  # noqa: S608
                    (key,),
                ).fetchone()
                if row is not None and isinstance(row[0], bytes):
                    tensors[table] = row[0]
        seconds = took if isinstance(took, float) else 0.0
        rows = Rows(tuple(scalars), tensors, seconds)
        try:
            whole = key in new and rows.digest(asked[key]) == digest
        except (TypeError, ValueError):  # a BLOB or an infinity where neither belongs
            whole = False
        if whole and copier.fit(
            new[key], (runs.get(run, other), *scalars, seconds, digest), tensors
        ):
            fits += 1
        else:
            lost += 1
    return fits, lost


def _unknown_run(made: sqlite3.Connection, runs: dict[int, int]) -> int:
    """The run of fits whose own is lost."""
    if runs:
        return max(runs.values())
    found = made.execute(
        f"INSERT INTO runs ({_RUN}) "  # noqa: S608
        "VALUES ('1970-01-01T00:00:00+00:00', NULL, 0, '', '{}', NULL, '{}', '{}')"
    )
    return int(found.lastrowid or 0)


def _rows(damaged: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """A table's rows in order as far as that goes, then those that are found one by one."""
    seen: set[int] = set()
    try:
        for row in damaged.execute(f"SELECT rowid, {columns} FROM {table} ORDER BY rowid"):  # noqa: S608
            seen.add(row[0])
            yield row[1:]
        return
    except (sqlite3.Error, UnicodeDecodeError):
        last = max(seen, default=0)
    for key in range(last + 1, min(_highest(damaged), _MOST) + 1):
        with suppress(sqlite3.Error, UnicodeDecodeError):
            row = damaged.execute(
                f"SELECT {columns} FROM {table} WHERE rowid = ?",  # noqa: S608
                (key,),
            ).fetchone()
            if row is not None:
                yield row


def _highest(damaged: sqlite3.Connection) -> int:
    """The largest id that any table tells of; ids rise by one."""
    highest = 1000
    for table in ("trials", "fits", "histories", "outputs", "parameters"):
        with suppress(sqlite3.Error):
            found = damaged.execute(f"SELECT max(rowid) FROM {table}").fetchone()  # noqa: S608
            if isinstance(found[0], int):
                highest = max(highest, found[0])
    return highest
