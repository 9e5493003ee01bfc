"""Two studies of the same rows and settings as one file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shrinkage.archive.copying import RUN, Copier, new_file
from shrinkage.archive.differences import differences
from shrinkage.archive.kept_data import fact
from shrinkage.archive.opening import reading, sensible
from shrinkage.archive.reading import plans_of, whole_rows
from shrinkage.archive.records import canonical
from shrinkage.errors import SettingError

_TRIALS = """
SELECT t.id, n.title, n.value, h.title, h.value, p.title, p.value, t.lam, a.digest, a.fold,
       t.seed, t.rows
FROM trials t JOIN records n ON n.id = t.network JOIN records h ON h.id = t.training
     JOIN parts a ON a.id = t.part LEFT JOIN records p ON p.id = t.penalty
ORDER BY t.id
"""


@dataclass(frozen=True)
class Merged:
    """What became of two studies.

    Parameters
    ----------
    fits : int
        In the new file.
    shared : int
        That both had.
    differing : int
        Of these, with other results; those of the first study were kept.
    """

    fits: int
    shared: int
    differing: int


def merge(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    into: str | os.PathLike[str],
    command: str = "",
) -> Merged:
    """Write the fits of two studies into a new file.

    Parameters
    ----------
    first, second : str or path-like
        Study files of the same rows, network, training and seed; λ, penalties, folds and repeats
        may differ. One study's folds have to begin like the other's.
    into : str or path-like
        A new file.
    command : str, default ""
        That the file is to name as its origin.

    Returns
    -------
    Merged

    Raises
    ------
    SettingError
        When one cannot be read, they do not belong together, or nothing can be written.
    """
    names = f"{first}' or '{second}"
    with closing(reading(first)) as one, closing(reading(second)) as other, sensible(names):
        plan = _plan_of_both(one, other, (str(first), str(second)))
        wider = _wider(one, other)
        with new_file(into) as merged:
            return _merge(one, other, wider, merged, plan, command)


def _merge(
    one: sqlite3.Connection,
    other: sqlite3.Connection,
    wider: sqlite3.Connection,
    merged: sqlite3.Connection,
    plan: Mapping[str, Any],
    command: str,
) -> Merged:
    merged.executemany("INSERT INTO facts VALUES (?, ?)", wider.execute("SELECT * FROM facts"))
    merged.executemany("INSERT INTO arrays VALUES (?, ?)", wider.execute("SELECT * FROM arrays"))
    copier = Copier(merged)
    places: dict[int, None] = {}
    shared = [_copy(source, merged, copier, places) for source in (one, other)][1]
    merged.executemany(
        "UPDATE trials SET place = ? WHERE id = ?",
        [(place, key) for place, key in enumerate(places, start=1)],
    )
    (versions, environment) = wider.execute(
        "SELECT versions, environment FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    copier.run((now, now, 1, command, canonical(dict(plan)), "{}", versions, environment))
    (fits,) = merged.execute("SELECT count(*) FROM fits").fetchone()
    return Merged(int(fits), shared, copier.differing)


def _plan_of_both(
    one: sqlite3.Connection, other: sqlite3.Connection, names: tuple[str, str]
) -> dict[str, Any]:
    """The last plan of the first study with the λ and the penalties of both.

    Raises
    ------
    SettingError
        When they do not belong together.
    """
    plans = [plans_of(source) for source in (one, other)]
    for name, some in zip(names, plans):
        if not some:
            raise SettingError(f"'{name}' holds no plan; run its command with --study once more")
    found = differences(plans[0][-1], plans[1][-1])
    if fact(one, "rows") != fact(other, "rows"):
        described = [fact(source, "description") or {"fields": {}} for source in (one, other)]
        about = ("source", "rows", "columns", "target")
        found = differences(described[0]["fields"], described[1]["fields"], about) or [
            "the same columns hold other values"
        ]
    if found:
        raise SettingError(
            f"'{names[0]}' and '{names[1]}' are studies of other data or settings: "
            f"{'; '.join(found)}; only studies of the same can be merged"
        )
    mine, theirs = plans[0][-1], plans[1][-1]
    kinds = [_kind(plan) for plan in (mine, theirs)]
    if kinds[0] != kinds[1]:
        raise SettingError(
            f"'{names[0]}' is a study of {kinds[0]} and '{names[1]}' one of {kinds[1]}; only two "
            "of a kind can be merged"
        )
    if "penalties" not in mine:
        return mine
    return mine | {
        "penalties": _both(mine["penalties"], theirs["penalties"]),
        "lambdas": _both(mine["lambdas"], theirs["lambdas"]),
    }


def _kind(plan: Mapping[str, Any]) -> str:
    """What a plan, as JSON, is of."""
    if "joint" in plan:
        return "a joint search"
    return "a λ path" if "penalties" in plan else "an exhibit"


def _both(mine: Any, theirs: Any) -> Any:
    """Two tuples, as JSON, as one; None (found automatically) wins."""
    if mine is None or theirs is None:
        return None
    known = {canonical(item): item for item in [*mine["tuple"], *theirs["tuple"]]}
    return {"tuple": list(known.values())}


def _wider(one: sqlite3.Connection, other: sqlite3.Connection) -> sqlite3.Connection:
    """The study that has the folds of both.

    Raises
    ------
    SettingError
        When neither has.
    """
    mine, theirs = (list(fact(source, "folds") or []) for source in (one, other))
    if mine[: len(theirs)] == theirs:
        return one
    if theirs[: len(mine)] == mine:
        return other
    raise SettingError(
        "the two studies have other folds: only repeats may differ, so that one study's folds are "
        "the first of the other's"
    )


def _copy(
    source: sqlite3.Connection,
    merged: sqlite3.Connection,
    copier: Copier,
    places: dict[int, None],
) -> int:
    """Copy a study's runs, trials, fits and findings; how many fits were there already."""
    own = f"SELECT id, {RUN} FROM runs ORDER BY id"  # noqa: S608  # names of our own columns
    runs = {key: copier.run(run) for key, *run in source.execute(own)}
    for run, value in source.execute("SELECT run, value FROM findings"):
        merged.execute("INSERT INTO findings VALUES (?, ?)", (runs[run], value))
    new = {}
    for key, of, network, how, training, title, penalty, lam, digest, *rest in source.execute(
        _TRIALS
    ):
        fold, seed, some = rest
        new[key] = copier.trial(
            (
                copier.record("network", of, network),
                copier.record("training", how, training),
                None if penalty is None else copier.record("penalty", title, penalty),
                lam,
                copier.part(digest, fold),
                seed,
                some,
            )
        )
    planned = source.execute("SELECT id FROM trials WHERE place IS NOT NULL ORDER BY place")
    places.update(dict.fromkeys(new[key] for (key,) in planned))
    return _copy_fits(source, copier, new, runs)


def _copy_fits(
    source: sqlite3.Connection, copier: Copier, new: Mapping[int, int], runs: Mapping[int, int]
) -> int:
    of_run = dict(source.execute("SELECT trial, run FROM fits"))
    shared = 0
    for key, rows, digest in whole_rows(source, list(of_run)):
        row = (runs[of_run[key]], *rows.scalars, rows.seconds, digest)
        shared += not copier.fit(new[key], row, rows.tensors)
    return shared
