"""The tables of a study file, by version, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from typing import Any

APPLICATION = 0x7368726B
"""SQLite's application id of a study file: "shrk"."""
VERSION = 1
"""SQLite's user version of what is written here; readers refuse later ones."""

FIRST = """
CREATE TABLE facts (
    name TEXT PRIMARY KEY,      -- 'data', 'source', 'rows', 'stage', …
    value TEXT NOT NULL         -- JSON
) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,      -- ISO 8601, with the offset from UTC
    ended TEXT,                 -- NULL: under way, or killed
    complete INTEGER,           -- 1: trained to the end; 0: interrupted
    command TEXT NOT NULL,
    plan TEXT NOT NULL,         -- JSON: what was to be tried
    seconds TEXT,               -- JSON: of each stage
    versions TEXT NOT NULL,     -- JSON: package → version
    environment TEXT NOT NULL   -- JSON: Python, platform, cores, threads
);
CREATE TABLE arrays (
    digest TEXT PRIMARY KEY,    -- of the bytes beside it
    tensors BLOB NOT NULL       -- safetensors: 'values'
) WITHOUT ROWID;
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- 'network', 'training', 'penalty'
    title TEXT NOT NULL,        -- for people
    value TEXT NOT NULL UNIQUE  -- JSON
);
CREATE TABLE parts (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,       -- of all that a training sees of a fold, or of every training row
    fold INTEGER                -- its index among the folds; NULL: every training row
);
CREATE TABLE trials (
    id INTEGER PRIMARY KEY,
    network INTEGER NOT NULL REFERENCES records(id),
    training INTEGER NOT NULL REFERENCES records(id),
    penalty INTEGER REFERENCES records(id),     -- NULL: none
    lam REAL NOT NULL,
    part INTEGER NOT NULL REFERENCES parts(id),
    seed INTEGER NOT NULL,
    rows INTEGER,                               -- NULL: all of the part's training rows
    place INTEGER                               -- in the last plan; NULL: not in it
);
CREATE TABLE fits (
    trial INTEGER PRIMARY KEY REFERENCES trials(id),
    run INTEGER NOT NULL REFERENCES runs(id),
    status TEXT NOT NULL,       -- COMPLETED, STOPPED_EARLY, DIVERGED, OUT_OF_TIME, LOST
    stopped_at INTEGER NOT NULL,
    best_epoch INTEGER,
    train_loss,                 -- of the final parameters; 'nan' where it is not a number
    validation_loss,
    zeros,                      -- share of the penalized weights that are exactly 0
    spread,                     -- their standard deviation
    stationarity,
    slope,
    polish_iterations INTEGER NOT NULL,
    seconds REAL NOT NULL,      -- of processor time
    digest TEXT NOT NULL        -- of this row, without `seconds`, and of its tensors
);
CREATE TABLE histories (
    trial INTEGER PRIMARY KEY REFERENCES fits(trial),
    tensors BLOB NOT NULL       -- safetensors: 'epochs', 'train_loss', 'validation_loss'
);
CREATE TABLE outputs (
    trial INTEGER PRIMARY KEY REFERENCES fits(trial),
    tensors BLOB NOT NULL       -- safetensors: 'outputs', on the validation rows
);
CREATE TABLE parameters (
    trial INTEGER PRIMARY KEY REFERENCES fits(trial),
    tensors BLOB NOT NULL       -- safetensors: 'parameters'; absent once let go
);
CREATE TABLE findings (
    run INTEGER PRIMARY KEY REFERENCES runs(id),
    value TEXT NOT NULL         -- JSON: what --json prints
);
CREATE VIEW results AS
    SELECT t.id AS trial, n.title AS network, coalesce(p.title, 'no penalty') AS penalty, t.lam,
           a.fold, t.seed, f.status, f.train_loss, f.validation_loss, f.zeros, f.seconds
    FROM fits f JOIN trials t ON t.id = f.trial JOIN parts a ON a.id = t.part
         JOIN records n ON n.id = t.network LEFT JOIN records p ON p.id = t.penalty;
"""

SCHEMAS: dict[int, str] = {1: FIRST}
"""Version → statements that make its tables."""
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
"""Version → what makes the next one of it, inside a transaction."""


def create(connection: sqlite3.Connection, version: int | None = None) -> None:
    """Make the tables of a new file, inside the caller's transaction."""
    version = VERSION if version is None else version
    for statement in SCHEMAS[version].split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {version}")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an older file to :data:`VERSION`, all of the way or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version, VERSION):
            MIGRATIONS[step](connection)
            connection.execute(f"PRAGMA user_version = {step + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def made_of(connection: sqlite3.Connection) -> list[Any]:
    """What a file consists of: the statements of its tables, views, indexes and triggers."""
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")
    return found.fetchall()


@cache
def expected(version: int) -> tuple[Any, ...]:
    """What a file of this version consists of."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        create(connection, version)
        return tuple(made_of(connection))
    finally:
        connection.close()
