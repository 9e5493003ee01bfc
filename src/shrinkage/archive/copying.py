"""Fits from one study file into another: what is equal is found again, whatever its number."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from shrinkage.archive.holding import check_writable
from shrinkage.archive.opening import sentences
from shrinkage.archive.rows import SCALARS, TENSORS
from shrinkage.archive.schema import create
from shrinkage.errors import SettingError

RUN = "started, ended, complete, command, plan, seconds, versions, environment"
"""Columns of `runs` but its id."""
RECOVERED = {"recovered": True}
"""Environment of the run that stands for those of a damaged file of which nothing is left."""
_GIVEN_UP = ("OUT_OF_TIME", "LOST")
"""What a fit ends with that is no answer to its trial."""
_FITS = ("run", *SCALARS, "seconds", "digest")


@contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """A new study file, which is there once the context ends well, and else not.

    Raises
    ------
    SettingError
        When something is there already, or nothing can be written.
    """
    target = Path(path)
    if target.exists():
        raise SettingError(f"'{path}' exists; name another file with --output")
    check_writable(path)
    temporary = target.with_name(f".{target.name[:80]}.{os.getpid()}")
    with suppress(FileNotFoundError):
        temporary.unlink()
    try:
        with (
            sentences(path),
            closing(sqlite3.connect(temporary, isolation_level=None)) as connection,
        ):
            connection.execute("BEGIN")
            create(connection)
            yield connection
            connection.execute("COMMIT")
        temporary.replace(target)
    except BaseException:
        for one in (temporary, temporary.with_name(f"{temporary.name}-journal")):
            with suppress(OSError):
                one.unlink()
        raise


class Copier:
    """Copies trials and fits into a file, each once, and runs.

    Parameters
    ----------
    into : sqlite3.Connection
        Inside a transaction.

    Attributes
    ----------
    differing : int
        Fits that were there already with other results.
    """

    def __init__(self, into: sqlite3.Connection) -> None:
        self.into = into
        self.differing = 0
        self._records: dict[str, int] = dict(into.execute("SELECT value, id FROM records"))
        self._parts: dict[tuple[str, int | None], int] = {
            (digest, fold): key
            for key, digest, fold in into.execute("SELECT id, digest, fold FROM parts")
        }
        self._trials: dict[tuple[Any, ...], int] = {
            tuple(asked): key
            for key, *asked in into.execute(
                "SELECT id, network, training, penalty, lam, part, seed, rows FROM trials"
            )
        }

    def run(self, row: Sequence[Any]) -> int:
        """The id of a run that is put there, by :data:`RUN`."""
        marks = ", ".join("?" * len(row))
        found = self.into.execute(
            f"INSERT INTO runs ({RUN}) VALUES ({marks})",  # noqa: S608  # names of our own columns
            row,
        )
        return int(found.lastrowid or 0)

    def record(self, kind: str, title: str, value: str) -> int:
        """The id of a network, a training or a penalty."""
        if value not in self._records:
            found = self.into.execute(
                "INSERT INTO records (kind, title, value) VALUES (?, ?, ?)", (kind, title, value)
            )
            self._records[value] = int(found.lastrowid or 0)
        return self._records[value]

    def part(self, digest: str, fold: int | None) -> int:
        """The id of a fold."""
        if (digest, fold) not in self._parts:
            found = self.into.execute(
                "INSERT INTO parts (digest, fold) VALUES (?, ?)", (digest, fold)
            )
            self._parts[digest, fold] = int(found.lastrowid or 0)
        return self._parts[digest, fold]

    def trial(self, asked: tuple[Any, ...]) -> int:
        """The id of a trial: network, training, penalty, λ, part, seed and rows, with new ids."""
        if asked not in self._trials:
            found = self.into.execute(
                "INSERT INTO trials (network, training, penalty, lam, part, seed, rows) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                asked,
            )
            self._trials[asked] = int(found.lastrowid or 0)
        return self._trials[asked]

    def fit(self, key: int, row: tuple[Any, ...], tensors: Mapping[str, bytes]) -> bool:
        """Put a fit there: run, scalars, seconds and digest; whether it was new.

        One that was given up gives way to an answer, and to an attempt that took longer.
        """
        there = self.into.execute(
            "SELECT status, seconds, digest FROM fits WHERE trial = ?", (key,)
        ).fetchone()
        if there is not None:
            (_, status, *_, seconds, digest), given_up = row, there[0] in _GIVEN_UP
            if not given_up or (status in _GIVEN_UP and seconds <= there[1]):
                self.differing += digest != there[2] and status not in _GIVEN_UP
                return False
            for table in (*TENSORS, "fits"):
                self.into.execute(
                    f"DELETE FROM {table} WHERE trial = ?",  # noqa: S608  # one of our own tables
                    (key,),
                )
        marks = ", ".join("?" * (len(_FITS) + 1))
        self.into.execute(
            # The names are those of our own columns.
            f"INSERT INTO fits (trial, {', '.join(_FITS)}) VALUES ({marks})",  # noqa: S608
            (key, *row),
        )
        for table in TENSORS:
            if table in tensors:
                self.into.execute(
                    f"INSERT INTO {table} VALUES (?, ?)",  # noqa: S608  # one of our own tables
                    (key, tensors[table]),
                )
        return True
