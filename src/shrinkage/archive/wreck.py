"""A damaged study file, read as far as SQLite can: with a first page made anew, row by row."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from shrinkage.archive.opening import harden, limit
from shrinkage.archive.schema import create
from shrinkage.errors import SettingError

_LEAST = 50
"""Bytes that a row takes at least: no id is larger than a file's size allows."""
_PAGE = 4096


def wreck(copy: Path, path: str | os.PathLike[str]) -> sqlite3.Connection:
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
        limit(connection, copy.stat().st_size)
        if {"fits", "trials", "records", "parts"} <= names:
            return connection
        connection.close()
    raise nothing(path)


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


def nothing(path: str | os.PathLike[str]) -> SettingError:
    """The sentence for a file of which no fit is left."""
    return SettingError(
        f"nothing of a study can be read in '{path}', not one fit; bring back a copy of it, or run "
        "the study's command again with another --study"
    )


def rows_left(damaged: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """A table's rows in order as far as that goes, then those that are found one by one."""
    seen: set[int] = set()
    try:
        # Callers name columns and tables of our own; nothing of the file is in the statement.
        for row in damaged.execute(f"SELECT rowid, {columns} FROM {table} ORDER BY rowid"):  # noqa: S608
            if row[0] in seen:
                break
            seen.add(row[0])
            yield row[1:]
        else:
            return
        last = max(seen)
    except (sqlite3.Error, UnicodeDecodeError):
        last = max(seen, default=0)
    for key in range(last + 1, _highest(damaged) + 1):
        with suppress(sqlite3.Error, UnicodeDecodeError):
            row = damaged.execute(
                f"SELECT {columns} FROM {table} WHERE rowid = ?",  # noqa: S608  # as above
                (key,),
            ).fetchone()
            if row is not None:
                yield row


def _highest(damaged: sqlite3.Connection) -> int:
    """The largest id that any table tells of; ids rise by one."""
    (pages,) = damaged.execute("PRAGMA page_count").fetchone()
    most, highest = pages * _PAGE // _LEAST, 0
    for table in ("trials", "fits", "histories", "outputs", "parameters"):
        with suppress(sqlite3.Error):
            found = damaged.execute(
                f"SELECT max(rowid) FROM {table}"  # noqa: S608  # one of our own tables
            ).fetchone()
            if isinstance(found[0], int):
                highest = max(highest, min(found[0], most))
    return highest or min(most, 1000)
