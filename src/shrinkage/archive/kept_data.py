"""The data of a study inside its file: the arrays themselves, or how to read them again."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.archive.differences import columns_differ, rows_differ
from shrinkage.archive.records import NONSENSE, Unreadable, canonical, parsed, told, untold
from shrinkage.archive.tensors import packed, unpacked
from shrinkage.data import BUNDLED, Data, open_source, prepare
from shrinkage.data.digests import Digests, digest_of, digests_of
from shrinkage.errors import DataError, SettingError, ShrinkageError

LARGEST = 64 << 20
"""Bytes of arrays that a file holds at most; beyond, it holds where they come from."""


def digests_of_rows(data: Data) -> dict[str, str]:
    """Of every training row, and of the rows that were set aside."""
    digests, test = Digests(), data.test
    return {
        "all": digests.part(data.full),
        "test": digests.of([test.inputs, test.targets, test.weights]),
    }


def holds(connection: sqlite3.Connection, data: Data) -> bool:
    """Whether a file knows these very data, and has them if it can."""
    same = fact(connection, "fingerprint") == data.fingerprint
    return same and (fact(connection, "data") is not None or size_of(data) > LARGEST)


def size_of(data: Data) -> int:
    """Bytes of all arrays, each counted once."""
    met: dict[int, int] = {}
    for one in (data.full, data.test, *data.parts):
        for value in vars(one).values():
            if isinstance(value, np.ndarray):
                met[id(value)] = value.nbytes
    return sum(met.values())


def keep(connection: sqlite3.Connection, data: Data) -> None:
    """Put data into a file in place of what was there, inside the caller's transaction.

    Arrays that folds share lie there once. Larger ones than :data:`LARGEST` are left out.
    """
    kept: set[str] = set()
    names: dict[int, tuple[Any, str]] = {}

    def put(values: NDArray[Any]) -> str:
        if id(values) not in names:
            content = packed({"values": values})
            name = digest_of([content])
            connection.execute("INSERT OR IGNORE INTO arrays VALUES (?, ?)", (name, content))
            kept.add(name)
            names[id(values)] = values, name
        return names[id(values)][1]

    said = told(data, put) if size_of(data) <= LARGEST else None
    facts = {
        "data": said,
        "digest": digest_of_said(said),
        "name": data.name,
        "fingerprint": data.fingerprint,
        "rows": digests_of_rows(data),
        "folds": list(digests_of(data).values())[1:],
        "description": told(data.description),
    }
    for name, value in facts.items():
        say(connection, name, value)
    old = [name for (name,) in connection.execute("SELECT digest FROM arrays")]
    for name in set(old) - kept:
        connection.execute("DELETE FROM arrays WHERE digest = ?", (name,))


def kept(connection: sqlite3.Connection) -> Data | None:
    """The data inside a file; None when it holds none, or not all of it is sound."""

    def get(name: str) -> NDArray[Any]:
        row = connection.execute("SELECT tensors FROM arrays WHERE digest = ?", (name,)).fetchone()
        if row is None or digest_of([row[0]]) != name:
            raise KeyError(name)
        values = unpacked(row[0])["values"]
        values.setflags(write=False)
        return values

    said = fact(connection, "data")
    if said is None:
        return None
    if fact(connection, "digest") not in (None, digest_of_said(said)):  # the first files had none
        raise Unreadable("data")
    data = untold(said, get)
    if not isinstance(data, Data):
        raise Unreadable("no data")
    check(data)
    if fact(connection, "fingerprint") != data.fingerprint:
        raise Unreadable("fingerprint")
    return data


def digest_of_said(said: Any) -> str:
    """Of the JSON of data, which says what classes and columns are called, beside all arrays."""
    return digest_of([canonical(said).encode()])


def check(data: Data) -> None:
    """Raise unless sizes and rows agree; the engine's kernels trust them.

    Raises
    ------
    Unreadable
        When they do not.
    """
    columns = data.target_names if data.task == "regression" else ("class",)
    for part in (data.full, *data.parts):
        rows = len(part.targets)
        sound = (
            part.inputs.ndim == 2
            and part.targets.shape == (len(part.inputs), len(columns))
            and part.weights.shape == (rows,)
            and part.inputs.shape[1] == len(part.columns)
            and part.center.shape == part.scale.shape == (part.n_inputs,)
            and part.shift.shape == part.stretch.shape in ((0,), part.center.shape)
            and part.target_center.shape == part.target_scale.shape == (len(columns),)
        )
        if not sound:
            raise Unreadable("a part")
        for some in (part.train, part.validation):
            if some.ndim != 1 or np.any((some < 0) | (some >= rows)):
                raise Unreadable("rows of a part")
        if len(data.classes) and np.any((part.targets < 0) | (part.targets >= len(data.classes))):
            raise Unreadable("classes of a part")
    test = data.test
    if test.inputs.ndim != 2 or test.inputs.shape[1] != data.full.n_inputs:
        raise Unreadable("the test rows")
    if test.targets.shape != (len(test.inputs), len(columns)):
        raise Unreadable("the test rows")
    if test.weights.shape != (len(test.inputs),) or (data.task != "regression") != bool(
        data.classes
    ):
        raise Unreadable("the test rows")


def again(connection: sqlite3.Connection) -> Data:
    """The data of a file, from inside it or read anew from where they came.

    Raises
    ------
    SettingError
        When neither can be had: a source that is not there, or has changed since.
    """
    try:
        inside = kept(connection)
    except (Unreadable, *NONSENSE) as error:
        raise SettingError(
            "the data inside the study file are damaged; give them again with the command that "
            "made it, or in Python with data=…"
        ) from error
    if inside is not None:
        return inside
    name = str(fact(connection, "name"))
    source = fact(connection, "source")
    if not isinstance(source, dict):
        raise SettingError(
            f"the data of {name} do not lie in the study file: they are too large, or were lost; "
            "run its command again, or give them in Python with Study.open(path, data=…)"
        )
    try:
        data = read_source(source)
    except (ShrinkageError, TypeError, KeyError) as error:
        raise SettingError(
            f"the data of the study cannot be read again: {error}; put the file back, or give the "
            "data in Python with Study.open(path, data=…)"
        ) from error
    require_same(connection, data)
    return data


def read_source(source: Mapping[str, Any]) -> Data:
    """Data from what a command said of them: what to open, and how to prepare it."""
    opened, prepared = dict(source["open"]), dict(source["prepare"])
    if isinstance(prepared.get("image"), list):
        prepared["image"] = tuple(prepared["image"])
    place = str(opened["source"])
    if place not in BUNDLED and not Path(place).is_file():  # a device would never end
        raise DataError(f"there is no file '{place}'")
    table, targets, name = open_source(**opened)
    return prepare(table, targets, name=name, **prepared)


def require_same(connection: sqlite3.Connection, data: Data) -> None:
    """Raise unless rows and test set are those of the study.

    Raises
    ------
    SettingError
        With what differs.
    """
    found = changed(connection, data)
    if found:
        raise SettingError(
            f"the data are not those of the study: {'; '.join(found)}; name another study file, or "
            "bring the old data back"
        )


def changed(connection: sqlite3.Connection, data: Data) -> list[str]:
    """What differs between the data of a file and others, as clauses; folds may differ."""
    if fact(connection, "rows") in (None, digests_of_rows(data)):
        return []
    said = fact(connection, "description")
    found = []
    if isinstance(said, dict):
        now = told(data.description)["fields"]
        before = said.get("fields", {})
        for field, title in _DESCRIBED.items():
            if before.get(field) != now[field]:
                found.append(f"{title} {before.get(field)}, now {now[field]}")
    try:
        then = kept(connection)
    except (Unreadable, *NONSENSE):
        then = None
    if then is None:  # too large for the file, or damaged
        return found or ["columns or values are others"]
    found += columns_differ(_columns(then), _columns(data))
    # Another source alone says nothing of what is in it.
    if all(one.startswith(_DESCRIBED["source"]) for one in found):
        found.append(rows_differ(then, data))
    return found


def _columns(data: Data) -> list[str]:
    """Of the table, as far as they are used; of the network's inputs where there is none."""
    return list(dict.fromkeys(data.full.sources or data.full.columns))


_DESCRIBED = {
    "source": "the source was",
    "rows": "rows",
    "columns": "columns",
    "inputs": "inputs of the network",
    "target": "the target was",
    "task": "the task was",
    "train_rows": "training rows",
    "test_rows": "test rows",
}


def say(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Write one fact of a study."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, canonical(value)))


def fact(connection: sqlite3.Connection, name: str) -> Any:
    """One fact of a study; None where there is none.

    Raises
    ------
    Unreadable
        When it is no JSON.
    """
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else parsed(row[0])
