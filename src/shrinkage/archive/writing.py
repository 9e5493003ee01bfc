"""A study file under way: fits go into it as they arrive, in a thread and in short transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, NamedTuple, Self

from shrinkage.archive import kept_data
from shrinkage.archive.holding import Hold
from shrinkage.archive.opening import check_writable, damaged, sentences, writing
from shrinkage.archive.reading import fits_of, plans_of, question, trials_of
from shrinkage.archive.records import Unreadable, canonical, told
from shrinkage.archive.rows import SCALARS, rows_of
from shrinkage.archive.schema import create
from shrinkage.archive.tensors import digest_of
from shrinkage.data import Data, Part
from shrinkage.network import OwnNetwork
from shrinkage.study import Fit, Trial

_PATIENCE = 0.25
"""Seconds that a fit waits for others, to be written with them."""
_MOST = 256
"""Fits in one transaction."""
_WAITING = 1024
"""Fits that may wait to be written, before training waits for the disk."""


class Item(NamedTuple):
    """What is to be written: a fit, trials that were planned, and in which stage."""

    fit: Fit | None
    planned: tuple[Trial, ...]
    stage: str | None


@dataclass(frozen=True)
class Run:
    """What a file says of the run that writes into it.

    Parameters
    ----------
    command : str
        Empty when there was none.
    plan : mapping of str to object
        JSON of what is to be tried, field by field.
    versions, environment : mapping of str to object
        Of packages; of the machine.
    source : mapping or None, default None
        How to read the data again, see :func:`shrinkage.archive.kept_data.read_source`.
    """

    command: str
    plan: Mapping[str, Any]
    versions: Mapping[str, str]
    environment: Mapping[str, Any]
    source: Mapping[str, Any] | None = None


class StudyFile:
    """A study file that this process writes, from :meth:`open` to :meth:`close`.

    Parameters
    ----------
    path : str or path-like
        The file; made when it is not there.

    Raises
    ------
    SettingError
        When it is no study file, cannot be written, or another process is writing it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        check_writable(path)
        # Through links, so that one file has one lock however it is called.
        self._hold = Hold(self.path.resolve())
        self._hold.take()
        try:
            self.connection = self._connect()
        except BaseException:
            self._hold.release()
            raise
        self._ids: dict[Any, int] = {}
        self._said: dict[int, str] = {}
        self._parts: dict[int | None, str] = {}
        self._run = 0
        self._places = 0
        self._queue: Queue[Item | None] = Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def _connect(self) -> sqlite3.Connection:
        fresh = not self.path.exists() or self.path.stat().st_size == 0
        with sentences(self.path):
            if fresh:
                connection = sqlite3.connect(
                    self.path, isolation_level=None, check_same_thread=False, timeout=5
                )
                connection.execute("BEGIN IMMEDIATE")
                create(connection)
                connection.execute("COMMIT")
            else:
                connection = writing(self.path)
            connection.execute("PRAGMA journal_mode = WAL")
            # A commit is not waited for: of a crash of the machine, not of the process, the last
            # ones may be lost, and the file stays whole.
            connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @property
    def begun(self) -> bool:
        """Whether a run has written into it."""
        (runs,) = self.connection.execute("SELECT count(*) FROM runs").fetchone()
        return bool(runs)

    def plans(self) -> list[dict[str, Any]]:
        """What each run wanted to try, as JSON, the first run first."""
        with self._checked():
            return plans_of(self.connection)

    def done(self, data: Data, network: OwnNetwork | None = None) -> dict[Trial, Fit]:
        """Fits that are there already and hold for these data, whatever plan they came from.

        Raises
        ------
        SettingError
            When one is damaged.
        """
        with self._checked():
            trials = trials_of(self.connection, data, network)
            fits = fits_of(self.connection, trials, data)
            return {fit.trial: fit for fit in fits}

    def begin(self, data: Data, run: Run) -> None:
        """A run that writes into the file begins: its data, its plan and its circumstances.

        Raises
        ------
        SettingError
            When it cannot be written.
        """
        parts: dict[int | None, Part] = {None: data.full, **dict(enumerate(data.parts))}
        self._parts = {fold: kept_data.digest_of_part(part) for fold, part in parts.items()}
        with self._checked(), self._transaction():
            if kept_data.fact(self.connection, "fingerprint") != data.fingerprint:
                kept_data.keep(self.connection, data)
            kept_data.say(self.connection, "source", run.source)
            found = self.connection.execute(
                "INSERT INTO runs (started, command, plan, versions, environment) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    _now(),
                    run.command,
                    canonical(dict(run.plan)),
                    canonical(dict(run.versions)),
                    canonical(dict(run.environment)),
                ),
            )
            self._run = int(found.lastrowid or 0)
        self._recall()
        self._thread = threading.Thread(target=self._write, name="study file", daemon=True)
        self._thread.start()

    def _recall(self) -> None:
        """Ids of what the file holds already."""
        execute = self.connection.execute
        for key, value in execute("SELECT id, value FROM records"):
            self._ids[value] = key
            self._said[key] = digest_of([value.encode()])
        for key, *part in execute("SELECT id, digest, fold FROM parts"):
            self._ids["part", *part] = key
        columns = "id, network, training, penalty, lam, part, seed, rows"
        for key, *trial in execute(f"SELECT {columns} FROM trials"):  # noqa: S608
            self._ids[tuple(trial)] = key

    def add(self, fit: Fit | None, planned: Sequence[Trial] = (), stage: str | None = None) -> None:
        """Take a finished fit, and trials that were planned since the last call, in which stage.

        It is in the file within a second; this returns before.

        Raises
        ------
        SettingError
            When an earlier one could not be written: a full disk, say.
        """
        while True:
            self._raise()
            with suppress(Full):
                self._queue.put(Item(fit, tuple(planned), stage), timeout=0.2)
                return

    def finish(
        self,
        *,
        complete: bool,
        stage: str | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """The run has ended: everything is written, and how it went.

        Parameters
        ----------
        complete : bool
            Whether it was trained to the end.
        stage : str, optional
            Of the search, where it was given up.
        seconds : mapping of str to float, optional
            Of each of its stages.
        """
        self._stop()
        with self._checked(), self._transaction():
            kept_data.say(self.connection, "stage", stage)
            self.connection.execute(
                "UPDATE runs SET ended = ?, complete = ?, seconds = ? WHERE id = ?",
                (_now(), int(complete), canonical(dict(seconds or {})), self._run),
            )

    def found(self, findings: Mapping[str, Any]) -> None:
        """What this run's findings are, as plain JSON."""
        with self._checked(), self._transaction():
            self.connection.execute(
                "INSERT OR REPLACE INTO findings VALUES (?, ?)",
                (self._run, canonical(dict(findings))),
            )

    def close(self) -> None:
        """Write what waits, make one plain file of it all, and let others write."""
        try:
            self._stop()
        finally:
            # Where another process is reading, the log stays beside the file; nothing is lost.
            with suppress(sqlite3.Error):
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.connection.execute("PRAGMA journal_mode = DELETE")
            self.connection.close()
            self._hold.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self.close()
            return
        with suppress(Exception):  # the first error is the one to be told
            self.close()

    # What follows runs in the writing thread, or after it has ended.

    def _write(self) -> None:
        more = True
        while more:
            batch, more = self._batch()
            if not batch:
                continue
            try:
                with self._checked(), self._transaction():
                    for item in batch:
                        self._insert(*item)
            except BaseException as error:  # noqa: BLE001  # told to the training thread
                self._failure = error
                return

    def _batch(self) -> tuple[list[Item], bool]:
        """Fits to be written together, and whether more may come."""
        batch: list[Item] = []
        deadline = None
        while len(batch) < _MOST:
            try:
                left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
                item = self._queue.get(timeout=left)
            except Empty:
                break
            if item is None:
                return batch, False
            batch.append(item)
            deadline = deadline or time.monotonic() + _PATIENCE
        return batch, True

    def _insert(self, fit: Fit | None, planned: tuple[Trial, ...], stage: str | None) -> None:
        if planned and not self._places:
            # The old plan gives way to the new one in the same transaction.
            self.connection.execute("UPDATE trials SET place = NULL WHERE place IS NOT NULL")
        places = []
        for trial in planned:
            self._places += 1
            places.append((self._places, self._trial(trial)))
        self.connection.executemany("UPDATE trials SET place = ? WHERE id = ?", places)
        if planned:
            kept_data.say(self.connection, "stage", stage)
        if fit is None:
            return
        key = self._trial(fit.trial)
        rows = rows_of(fit)
        marks = ", ".join("?" * (len(SCALARS) + 4))
        written = self.connection.execute(
            f"INSERT OR IGNORE INTO fits (trial, run, {', '.join(SCALARS)}, seconds, digest) "  # noqa: S608
            f"VALUES ({marks})",
            (key, self._run, *rows.scalars, rows.seconds, rows.digest(self._question(fit.trial))),
        )
        if written.rowcount != 1:
            return
        for table, content in rows.tensors.items():
            self.connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (key, content))  # noqa: S608

    def _trial(self, trial: Trial) -> int:
        asked = (
            self._record("network", trial.network),
            self._record("training", trial.training),
            None if trial.penalty is None else self._record("penalty", trial.penalty),
            trial.lam,
            self._part(trial.fold),
            trial.seed,
            trial.rows,
        )
        if asked not in self._ids:
            found = self.connection.execute(
                "INSERT INTO trials (network, training, penalty, lam, part, seed, rows) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                asked,
            )
            self._ids[asked] = int(found.lastrowid or 0)
        return self._ids[asked]

    def _question(self, trial: Trial) -> str:
        of = self._said[self._record("network", trial.network)]
        how = self._said[self._record("training", trial.training)]
        penalty = trial.penalty and self._said[self._record("penalty", trial.penalty)]
        digest = self._parts[trial.fold]
        return question(of, how, penalty, trial.lam, digest, trial.fold, trial.seed, trial.rows)

    def _record(self, kind: str, value: Any) -> int:
        if (kind, value) not in self._ids:
            text = canonical(told(value))
            if text not in self._ids:
                title = value.label if kind == "penalty" else str(value)
                title = value.optimizer if kind == "training" else title
                found = self.connection.execute(
                    "INSERT INTO records (kind, title, value) VALUES (?, ?, ?)", (kind, title, text)
                )
                self._ids[text] = int(found.lastrowid or 0)
                self._said[self._ids[text]] = digest_of([text.encode()])
            self._ids[kind, value] = self._ids[text]
        return self._ids[kind, value]

    def _part(self, fold: int | None) -> int:
        part = ("part", self._parts[fold], fold)
        if part not in self._ids:
            found = self.connection.execute(
                "INSERT INTO parts (digest, fold) VALUES (?, ?)", part[1:]
            )
            self._ids[part] = int(found.lastrowid or 0)
        return self._ids[part]

    def _stop(self) -> None:
        """End the writing thread once all that waits is written."""
        thread, self._thread = self._thread, None
        if thread is not None:
            while thread.is_alive():
                with suppress(Full):
                    self._queue.put(None, timeout=0.2)
                    break
            thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # after a full disk SQLite has rolled back by itself
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            with sentences(self.path):
                yield
        except Unreadable as error:
            raise damaged(self.path) from error


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
