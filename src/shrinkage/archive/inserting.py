"""Trials and fits of a run as rows, inside the transactions of :mod:`shrinkage.archive.writing`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from shrinkage.archive import kept_data
from shrinkage.archive.copying import Copier
from shrinkage.archive.reading import question
from shrinkage.archive.records import canonical, told
from shrinkage.archive.rows import rows_of
from shrinkage.data.digests import digest_of
from shrinkage.study import Fit, Study, Trial


class Inserter:
    """Puts trials and fits of one run into a file.

    Parameters
    ----------
    connection : sqlite3.Connection
        Of the file.
    run : int
        The run's id.
    parts : mapping of int or None to str
        Fold → digest; None: every training row.
    """

    def __init__(
        self, connection: sqlite3.Connection, run: int, parts: Mapping[int | None, str]
    ) -> None:
        self.connection = connection
        self.run = run
        self._parts = parts
        self._rows = Copier(connection)
        self._records: dict[Any, tuple[int, str]] = {}
        self._places = 0

    def plan(self, trials: Sequence[Trial], stage: str | None) -> None:
        """Trials that were planned in a stage; the first ones replace an earlier run's plan."""
        if not self._places:
            self.connection.execute("UPDATE trials SET place = NULL WHERE place IS NOT NULL")
        places = [
            (place, self._trial(trial)) for place, trial in enumerate(trials, self._places + 1)
        ]
        self._places += len(places)
        self.connection.executemany("UPDATE trials SET place = ? WHERE id = ?", places)
        kept_data.say(self.connection, "stage", stage)

    def settle(self, study: Study) -> None:
        """The study's trials alone are what was planned, with what its points are called."""
        self._places = 0
        self.plan(study.trials, None)
        names = [[told(penalty), lam, name] for (penalty, lam), name in study.names.items()]
        kept_data.say(self.connection, "names", names)
        kept_data.say(self.connection, "screened", study.screened)

    def fit(self, fit: Fit) -> None:
        """A finished fit, unless it is there already."""
        rows = rows_of(fit)
        row = (self.run, *rows.scalars, rows.seconds, rows.digest(self._question(fit.trial)))
        self._rows.fit(self._trial(fit.trial), row, rows.tensors)

    def _trial(self, trial: Trial) -> int:
        penalty = trial.penalty
        return self._rows.trial(
            (
                self._record("network", trial.network)[0],
                self._record("training", trial.training)[0],
                None if penalty is None else self._record("penalty", penalty)[0],
                float(trial.lam),
                self._rows.part(self._parts[trial.fold], _whole(trial.fold)),
                _whole(trial.seed),
                _whole(trial.rows),
            )
        )

    def _question(self, trial: Trial) -> str:
        return question(
            self._record("network", trial.network)[1],
            self._record("training", trial.training)[1],
            trial.penalty and self._record("penalty", trial.penalty)[1],
            float(trial.lam),
            self._parts[trial.fold],
            _whole(trial.fold),
            _whole(trial.seed),
            _whole(trial.rows),
        )

    def _record(self, kind: str, value: Any) -> tuple[int, str]:
        """A record's id, and the digest of its JSON."""
        if (kind, value) not in self._records:
            text = canonical(told(value))
            titles = {"penalty": "label", "training": "optimizer"}
            title = str(getattr(value, titles[kind]) if kind in titles else value)
            key = self._rows.record(kind, title, text)
            self._records[kind, value] = key, digest_of([text.encode()])
        return self._records[kind, value]


def _whole(number: int | None) -> int | None:
    """As it comes out of a file again, where NumPy's numbers would be bytes."""
    return None if number is None else int(number)
