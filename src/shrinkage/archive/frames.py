"""A study file's tables as Arrow, pandas or Polars tables, for other programs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.archive.opening import opened
from shrinkage.archive.records import Unreadable
from shrinkage.archive.tensors import unpacked
from shrinkage.errors import SettingError, require_known

if TYPE_CHECKING:
    import pyarrow as pa

EXPORTED = ("fits", "histories", "runs")
"""Tables that are written for other programs; CSV could not hold the arrays of others."""
FRAMES = (*EXPORTED, "findings", "parameters", "outputs")
"""Tables that :func:`frame` knows."""
KINDS = ("pandas", "polars", "arrow")

_FITS = """
SELECT t.id AS trial, n.title AS network, coalesce(p.title, 'no penalty') AS penalty,
       t.lam AS "lambda", a.fold AS fold, t.seed AS seed, t.rows AS rows, t.place AS place,
       f.run AS run, f.status AS status, f.stopped_at AS stopped_at, f.best_epoch AS best_epoch,
       f.train_loss AS train_loss, f.validation_loss AS validation_loss, f.zeros AS zeros,
       f.spread AS spread, f.stationarity AS stationarity, f.slope AS slope,
       f.polish_iterations AS polish_iterations, f.seconds AS seconds
FROM fits f JOIN trials t ON t.id = f.trial JOIN parts a ON a.id = t.part
     JOIN records n ON n.id = t.network LEFT JOIN records p ON p.id = t.penalty
ORDER BY t.place IS NULL, t.place, t.id
"""
_RUNS = """
SELECT id AS run, started, ended, complete, command, plan, seconds, versions, environment
FROM runs ORDER BY id
"""
_FINDINGS = "SELECT run, value AS findings FROM findings ORDER BY run"
_TEXTS = ("network", "penalty", "status")
_WHOLE = (
    *("trial", "fold", "seed", "rows", "place", "run"),
    *("stopped_at", "best_epoch", "polish_iterations"),
)


def frame(
    path: str | os.PathLike[str],
    name: str = "fits",
    kind: Literal["pandas", "polars", "arrow"] = "pandas",
) -> Any:
    """A table of a study file.

    Parameters
    ----------
    path : str or path-like
        The study file.
    name : str, default "fits"
        ``"fits"``: one row each, with its trial.
        ``"histories"``: one row for each fit and epoch at which losses were taken.
        ``"outputs"``: one row for each fit, validation row of its fold (counted from 0, in the
        order of :attr:`shrinkage.data.Part.validation`) and output of the network: probabilities,
        or standardized predictions.
        ``"parameters"``: one row for each fit whose weights were kept, which are mostly the refits,
        with all of them in one array of float32, in the order of ``fit.trial.network.places``.
        ``"runs"`` and ``"findings"``: one row for each run; plans and findings are JSON.
        The column `trial` or `run` joins them.
    kind : str, default "pandas"
        ``"pandas"``, ``"polars"`` (which has to be installed) or ``"arrow"``.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame or pyarrow.Table
        What does not apply is missing: `fold` of a refit, `rows` where all were trained on.

    Raises
    ------
    SettingError
        When the file cannot be opened, or there is no such table or kind.
    """
    require_known("table", name, FRAMES)
    require_known("kind of frame", kind, KINDS)
    with opened(path) as connection:
        table = _MAKE[name](connection)
    if kind == "arrow":
        return table
    return table.to_pandas() if kind == "pandas" else _polars(table)


def _polars(table: pa.Table) -> Any:
    try:
        from polars import from_arrow  # type: ignore[import-not-found,unused-ignore]  # optional
    except ImportError:
        raise SettingError(
            "a Polars frame needs the package polars, which is not installed; install it with: "
            "pip install polars"
        ) from None
    return from_arrow(table)


def fits(connection: sqlite3.Connection) -> pa.Table:
    """One row for each fit, with its trial."""
    import pyarrow as pa

    columns = _columns(connection, _FITS)
    return pa.table({name: _column(name, values) for name, values in columns.items()})


def _columns(connection: sqlite3.Connection, query: str) -> dict[str, Sequence[Any]]:
    """What a query finds, by its columns."""
    found = connection.execute(query)
    names = [column for column, *_ in found.description]
    return dict(zip(names, list(zip(*found.fetchall())) or [()] * len(names)))


def _column(name: str, values: Iterable[Any]) -> pa.Array:
    import pyarrow as pa

    if name in _TEXTS:
        return pa.array([str(value) for value in values], pa.string())
    if name in _WHOLE:
        whole = [None if value is None else int(value) for value in values]
        return pa.array(whole, pa.int64())
    # What is not finite is text in the file.
    floats = [None if value is None else float(value) for value in values]
    return pa.array(floats, pa.float64())


def histories(connection: sqlite3.Connection) -> pa.Table:
    """One row for each fit and epoch at which losses were taken."""
    import pyarrow as pa

    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("trial", "epochs", "train_loss", "validation_loss")
    }
    for key, content in connection.execute("SELECT trial, tensors FROM histories ORDER BY trial"):
        found = unpacked(content)
        length = len(found["epochs"])
        parts["trial"].append(np.full(length, int(key), dtype=np.int64))
        for name in ("epochs", "train_loss", "validation_loss"):
            if found[name].shape != (length,):
                raise Unreadable(f"history of {key}")
            parts[name].append(found[name])
    joined = {name: np.concatenate(some) if some else np.empty(0) for name, some in parts.items()}
    return pa.table(
        {
            "trial": joined["trial"].astype(np.int64),
            "epoch": joined["epochs"].astype(np.int64),
            "train_loss": joined["train_loss"].astype(np.float64),
            "validation_loss": joined["validation_loss"].astype(np.float64),
        }
    )


def outputs(connection: sqlite3.Connection) -> pa.Table:
    """One row for each fit, validation row and output of the network."""
    import pyarrow as pa

    parts: list[tuple[NDArray[Any], ...]] = [(np.empty(0),) * 4]
    for key, content in connection.execute("SELECT trial, tensors FROM outputs ORDER BY trial"):
        found = unpacked(content)["outputs"]
        if found.ndim != 2:
            raise Unreadable(f"outputs of {key}")
        row, output = np.indices(found.shape).reshape(2, -1)
        parts.append((np.full(found.size, int(key)), row, output, found.reshape(-1)))
    trial, row, output, value = (np.concatenate(some) for some in zip(*parts))
    return pa.table(
        {
            "trial": trial.astype(np.int64),
            "row": row.astype(np.int64),
            "output": output.astype(np.int64),
            "value": value.astype(np.float32),
        }
    )


def parameters(connection: sqlite3.Connection) -> pa.Table:
    """One row for each fit whose weights were kept, with all of them."""
    import pyarrow as pa

    asked = "SELECT trial, tensors FROM parameters ORDER BY trial"
    found = {
        int(key): unpacked(content)["parameters"] for key, content in connection.execute(asked)
    }
    return pa.table(
        {
            "trial": pa.array(list(found), pa.int64()),
            "parameters": pa.array(list(found.values()), pa.list_(pa.float32())),
        }
    )


def runs(connection: sqlite3.Connection) -> pa.Table:
    """One row for each run that wrote into the file; plans and circumstances as JSON."""
    return _plain(connection, _RUNS)


def findings(connection: sqlite3.Connection) -> pa.Table:
    """One row for each run that came to its end, with what ``--json`` printed."""
    return _plain(connection, _FINDINGS)


def _plain(connection: sqlite3.Connection, query: str) -> pa.Table:
    import pyarrow as pa

    whole = ("run", "complete")
    return pa.table(
        {
            name: pa.array(list(values), pa.int64() if name in whole else pa.string())
            for name, values in _columns(connection, query).items()
        }
    )


_MAKE = dict(zip(FRAMES, (fits, histories, runs, findings, parameters, outputs)))
