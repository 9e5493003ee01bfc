"""A study file under way: fits go into it as they arrive, in a thread and in short transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, NamedTuple, Self

from shrinkage.archive import kept_data
from shrinkage.archive.holding import Hold, check_writable
from shrinkage.archive.inserting import Inserter
from shrinkage.archive.opening import sensible, sentences, writing
from shrinkage.archive.reading import answers, plans_of
from shrinkage.archive.records import canonical
from shrinkage.archive.schema import create
from shrinkage.data import Data
from shrinkage.data.digests import digests_of
from shrinkage.network import OwnNetwork
from shrinkage.study import Fit, Study, Trial

_PATIENCE = 0.1
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
    command : str, default ""
        Empty when there was none.
    plan : mapping of str to object, default {}
        JSON of what is to be tried, field by field, see :func:`told_fields`.
    versions, environment : mapping of str to object, default {}
        Of packages; of the machine.
    source : mapping or None, default None
        How to read the data again, see :func:`shrinkage.archive.kept_data.read_source`.
    """

    command: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None


class StudyFile:
    """A study file that this process writes, until :meth:`close`.

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
        self._made = False
        self._hold.take()
        there = self.path.exists()
        try:
            self.connection = self._connect()
        except BaseException:
            if not there:
                self._remove()
            self._hold.release()
            raise
        self._run = 0
        self._rows: Inserter | None = None
        self._queue: Queue[Item | None] = Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def _connect(self) -> sqlite3.Connection:
        fresh = not self.path.exists() or self.path.stat().st_size == 0
        with sentences(self.path, kept=not fresh):
            if fresh:
                connection = sqlite3.connect(
                    self.path, isolation_level=None, check_same_thread=False, timeout=5
                )
                connection.execute("BEGIN IMMEDIATE")
                create(connection)
                connection.execute("COMMIT")
                self._made = True
            else:
                connection = writing(self.path)
        return connection

    @property
    def begun(self) -> bool:
        """Whether a run has written into it."""
        (runs,) = self.connection.execute("SELECT count(*) FROM runs").fetchone()
        return bool(runs)

    def plans(self) -> list[dict[str, Any]]:
        """What each run wanted to try, as JSON, the first run first."""
        with sensible(self.path):
            return plans_of(self.connection)

    def done(self, data: Data, network: OwnNetwork | None = None) -> dict[Trial, Fit]:
        """Fits that are there already and hold for these data, whatever plan they came from.

        Raises
        ------
        SettingError
            When one is damaged.
        """
        with sensible(self.path):
            return answers(self.connection, data, network)

    def begin(self, data: Data, run: Run) -> None:
        """A run that writes into the file begins: its data, its plan and its circumstances.

        Raises
        ------
        SettingError
            When it cannot be written.
        """
        parts = digests_of(data)
        kept = not self._made or bool(self._run)
        with sensible(self.path, kept=kept):
            self.connection.execute("PRAGMA journal_mode = WAL")
            # A commit is not waited for: of a crash of the machine, not of the process, the last
            # ones may be lost, and the file stays whole.
            self.connection.execute("PRAGMA synchronous = NORMAL")
        with sensible(self.path, kept=kept), self._transaction():
            if not kept_data.holds(self.connection, data):
                kept_data.keep(self.connection, data)
            kept_data.say(self.connection, "source", run.source)
            for name in ("names", "screened"):
                kept_data.say(self.connection, name, None)
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
        self._run = int(found.lastrowid or 0)  # once it is written
        self._rows = Inserter(self.connection, self._run, parts)

    def add(self, fit: Fit | None, planned: Sequence[Trial] = (), stage: str | None = None) -> None:
        """Take a finished fit, and trials that were planned since the last call, in which stage.

        It is in the file within a second; this returns before.

        Raises
        ------
        SettingError
            When an earlier one could not be written: a full disk, say.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="study file", daemon=True)
            self._thread.start()
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
        study: Study | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """The run has ended: everything is written, and how it went. More may follow.

        Parameters
        ----------
        complete : bool
            Whether it was trained to the end.
        stage : str, optional
            Of the search, where it was given up.
        seconds : mapping of str to float, optional
            Of each of its stages.
        study : Study, optional
            What the run led to, where that is less than all that it planned.
        facts : mapping of str to object, optional
            JSON that a later run is to know, by name.
        """
        self._stop()
        assert self._rows is not None
        with sensible(self.path), self._transaction():
            if study is not None:
                self._rows.settle(study)
            for name, value in (facts or {}).items():
                kept_data.say(self.connection, name, value)
            kept_data.say(self.connection, "stage", stage)
            self.connection.execute(
                "UPDATE runs SET ended = ?, complete = ?, seconds = ? WHERE id = ?",
                (_now(), int(complete), canonical(dict(seconds or {})), self._run),
            )

    def found(self, findings: Mapping[str, Any]) -> None:
        """What this run's findings are, as plain JSON."""
        with sensible(self.path), self._transaction():
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
            if self._made and not self._run:  # there was nothing to be kept
                self._remove()
            self._hold.release()

    def _remove(self) -> None:
        """Leave no file, and nothing beside it, as SQLite does where a disk is full."""
        for ending in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(f"{self.path.name}{ending}").unlink(missing_ok=True)

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
                with sensible(self.path), self._transaction():
                    for item in batch:
                        self._insert(item)
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

    def _insert(self, item: Item) -> None:
        assert self._rows is not None
        if item.planned:
            self._rows.plan(item.planned, item.stage)
        if item.fit is not None:
            self._rows.fit(item.fit)

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


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
