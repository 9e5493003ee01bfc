"""What is in a study file, counted without reading a single fit."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shrinkage.archive.copying import RECOVERED
from shrinkage.archive.holding import held
from shrinkage.archive.kept_data import fact
from shrinkage.archive.opening import opened
from shrinkage.archive.records import parsed


@dataclass(frozen=True)
class Ran:
    """One run that wrote into a file.

    Parameters
    ----------
    started : str
        ISO 8601.
    ended : str or None
        None: it is under way, or was killed.
    complete : bool
        Whether it trained to the end.
    command : str
        Empty when there was none.
    fits : int
        That it trained.
    versions : mapping of str to str
        Package → version.
    recovered : bool
        Whether it stands for runs of a damaged file of which nothing else was left; it `started`
        when the file was recovered.
    """

    started: str
    ended: str | None
    complete: bool
    command: str
    fits: int
    versions: Mapping[str, str]
    recovered: bool


@dataclass(frozen=True)
class Line:
    """The fits of one penalty.

    Parameters
    ----------
    penalty : str
        For people.
    strengths : int
        Different λ.
    least, most : float
        The smallest and the largest λ.
    fits : int
        Finished, on folds and on every training row.
    best : float or None
        λ of the least mean validation loss over folds, among those with the most folds.
    loss : float or None
        That loss.
    """

    penalty: str
    strengths: int
    least: float
    most: float
    fits: int
    best: float | None
    loss: float | None


@dataclass(frozen=True)
class Summary:
    """What is in a study file.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        In bytes, with what waits beside it.
    name : str
        Of the data.
    description : mapping of str to object
        What was understood of the table, by the fields of
        :class:`shrinkage.data.description.Description`.
    fingerprint : str
        Of the data.
    self_contained : bool
        Whether the data lie in the file.
    networks : tuple of str
        What was trained in it.
    lines : tuple of Line
        By penalty: of the last study, or of all fits where it is not known.
    planned, finished, failed : int
        Trials of the last plan; fits of it; those of these that failed: they diverged, ran out of
        time, or were lost with a worker.
    besides : int
        Fits that are not of the last study: of earlier plans, of recipes that were given up, of
        exhibits.
    stage : str or None
        Of the search, where it did not end.
    runs : tuple of Ran
        In order.
    findings : mapping of str to object, or None
        What the last run found, as `--json` prints it; None before it is done.
    writer : str or None
        Who is writing it now.
    """

    path: Path
    size: int
    name: str
    description: Mapping[str, Any]
    fingerprint: str
    self_contained: bool
    networks: tuple[str, ...]
    lines: tuple[Line, ...]
    planned: int
    finished: int
    failed: int
    besides: int
    stage: str | None
    runs: tuple[Ran, ...]
    findings: Mapping[str, Any] | None
    writer: str | None


def summary(path: str | os.PathLike[str]) -> Summary:
    """Look into a study file.

    Parameters
    ----------
    path : str or path-like
        The file, which another process may be writing.

    Returns
    -------
    Summary

    Raises
    ------
    SettingError
        When it cannot be opened, or is damaged.
    """
    place = Path(path)
    with opened(path) as connection:
        return _summary(connection, place)


def _summary(connection: sqlite3.Connection, path: Path) -> Summary:
    described = fact(connection, "description")
    planned, finished, failed, besides = connection.execute(_COUNTS).fetchone()
    return Summary(
        path=path,
        size=sum(
            one.stat().st_size for one in (path, path.with_name(f"{path.name}-wal")) if one.exists()
        ),
        name=str(fact(connection, "name") or "no data"),
        description=dict(described["fields"]) if described else {},
        fingerprint=str(fact(connection, "fingerprint") or ""),
        self_contained=fact(connection, "data") is not None,
        networks=tuple(str(title) for (title,) in connection.execute(_NETWORKS)),
        lines=_lines(connection),
        planned=int(planned),
        finished=int(finished or 0),
        failed=int(failed or 0),
        besides=int(besides or 0),
        stage=fact(connection, "stage"),
        runs=_runs(connection),
        findings=latest_findings(connection),
        writer=held(path),
    )


_COUNTS = """
SELECT (SELECT count(*) FROM trials WHERE place IS NOT NULL),
       sum(t.place IS NOT NULL),
       sum(t.place IS NOT NULL AND f.status NOT IN ('COMPLETED', 'STOPPED_EARLY')),
       sum(t.place IS NULL)
FROM fits f JOIN trials t ON t.id = f.trial
"""
_NETWORKS = """
SELECT DISTINCT n.title FROM trials t JOIN records n ON n.id = t.network
WHERE t.place IS NOT NULL OR NOT EXISTS (SELECT 1 FROM trials WHERE place IS NOT NULL)
ORDER BY n.id
"""
_POINTS = """
SELECT coalesce(p.title, ''), t.lam, count(*), sum(a.fold IS NOT NULL),
       avg(CASE WHEN a.fold IS NOT NULL THEN f.validation_loss END),
       sum(a.fold IS NOT NULL AND typeof(f.validation_loss) = 'text')
FROM fits f JOIN trials t ON t.id = f.trial JOIN parts a ON a.id = t.part
     LEFT JOIN records p ON p.id = t.penalty
WHERE t.place IS NOT NULL OR NOT EXISTS (SELECT 1 FROM trials WHERE place IS NOT NULL)
GROUP BY t.penalty, t.lam
ORDER BY t.penalty, t.lam
"""
_RUNS = """
SELECT r.started, r.ended, r.complete, r.command, r.versions, r.environment, count(f.trial)
FROM runs r LEFT JOIN fits f ON f.run = r.id GROUP BY r.id ORDER BY r.id
"""


def _lines(connection: sqlite3.Connection) -> tuple[Line, ...]:
    points: dict[str, list[tuple[float, int, int, float | None]]] = {}
    for title, lam, fits, folds, loss, failed in connection.execute(_POINTS):
        known = None if failed or loss is None else float(loss)
        points.setdefault(str(title), []).append((float(lam), int(fits), int(folds), known))
    lines = []
    for title, some in points.items():
        widest = max(folds for _, _, folds, _ in some)
        good = [(loss, lam) for lam, _, folds, loss in some if folds == widest and loss is not None]
        loss, best = min(good, default=(None, None))
        lines.append(
            Line(
                penalty=title or "no penalty",
                strengths=len(some),
                least=min(lam for lam, *_ in some),
                most=max(lam for lam, *_ in some),
                fits=sum(fits for _, fits, _, _ in some),
                best=best,
                loss=loss,
            )
        )
    return tuple(lines)


def _runs(connection: sqlite3.Connection) -> tuple[Ran, ...]:
    return tuple(
        Ran(
            started=str(started),
            ended=None if ended is None else str(ended),
            complete=bool(complete),
            command=str(command),
            fits=int(fits),
            versions={str(name): str(value) for name, value in parsed(versions).items()},
            recovered=parsed(where) == RECOVERED,
        )
        for started, ended, complete, command, versions, where, fits in connection.execute(_RUNS)
    )


def latest_findings(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """What the last run found; None before it is done: older ones would be out of date."""
    row = connection.execute(
        "SELECT value FROM findings WHERE run = (SELECT max(id) FROM runs)"
    ).fetchone()
    return None if row is None else dict(parsed(row[0]))
