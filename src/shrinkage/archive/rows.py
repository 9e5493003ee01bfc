"""A fit as rows of a study file, and back, with a digest over every bit but its seconds."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.archive.records import Unreadable, canonical
from shrinkage.archive.tensors import packed, unpacked
from shrinkage.data import Part
from shrinkage.data.digests import digest_of
from shrinkage.network import layout
from shrinkage.study import Fit, Status, Trial

SCALARS = (
    *("status", "stopped_at", "best_epoch", "train_loss", "validation_loss"),
    *("zeros", "spread", "stationarity", "slope", "polish_iterations"),
)
"""Columns of `fits` under the digest, in its order."""
TENSORS = ("histories", "outputs", "parameters")
_SHAPES = {
    "histories": ("epochs", "train_loss", "validation_loss"),
    "outputs": ("outputs",),
    "parameters": ("parameters",),
}
_LET_GO = np.empty(0, dtype=np.float32)
_SINGLE = (np.dtype(np.float32),)
# What trains decides on the precision of losses, and it comes back as it was.
_LOSSES = (np.dtype(np.float64), *_SINGLE)
_TYPES = {
    "epochs": (np.dtype(np.int64), np.dtype(np.int32)),
    "train_loss": _LOSSES,
    "validation_loss": _LOSSES,
}


class Rows(NamedTuple):
    """What a file says of one fit.

    Parameters
    ----------
    scalars : tuple
        By :data:`SCALARS`.
    tensors : dict of str to bytes
        Table → BLOB; no parameters once they were let go.
    seconds : float
        Of processor time; not under the digest.
    """

    scalars: tuple[Any, ...]
    tensors: Mapping[str, bytes]
    seconds: float

    def digest(self, asked: str) -> str:
        """Of the rows, together with `asked`, the question that they answer."""
        said = canonical([asked, *self.scalars]).encode()
        contents = [said]
        for table in TENSORS:
            contents += [table.encode(), self.tensors.get(table, b"")]
        return digest_of(contents)


def rows_of(fit: Fit) -> Rows:
    """A fit taken apart."""
    tensors = {
        "histories": packed({name: getattr(fit, name) for name in _SHAPES["histories"]}),
        "outputs": packed({"outputs": fit.outputs}),
    }
    if fit.kept is None:
        tensors["parameters"] = packed({"parameters": fit.parameters})
    scalars = (
        fit.status.name,
        int(fit.stopped_at),
        None if fit.best_epoch is None else int(fit.best_epoch),
        *map(_number, (fit.final_train_loss, fit.final_validation_loss, fit.sparsity, fit.spread)),
        *map(_number, (fit.stationarity, fit.slope)),
        int(fit.polish_iterations),
    )
    return Rows(scalars, tensors, float(fit.seconds))


def fit_of(trial: Trial, rows: Rows, part: Part | None) -> Fit:
    """A fit put together again.

    Parameters
    ----------
    trial : Trial
        What it answers.
    rows : Rows
        Checked against their digest.
    part : Part or None
        The rows of its fold, to check sizes against; None where they are not known.

    Raises
    ------
    Unreadable
        When its parts do not agree with each other, with the network or with the fold.
    """
    epochs, train_loss, validation_loss = _arrays(rows, "histories")
    (outputs,) = _arrays(rows, "outputs")
    if epochs.ndim != 1 or not epochs.shape == train_loss.shape == validation_loss.shape:
        raise Unreadable("history")
    parameters = _LET_GO
    whole = "parameters" in rows.tensors
    if whole:
        (parameters,) = _arrays(rows, "parameters")
        if parameters.shape != (layout(trial.network).size,):
            raise Unreadable("sizes")
    if outputs.ndim != 2 or not _suits(trial, outputs, part):
        raise Unreadable("sizes")
    status, stopped_at, best, loss, _, zeros, spread, stationarity, slope, polish = rows.scalars
    try:
        return Fit(
            trial=trial,
            parameters=parameters,
            epochs=epochs,
            train_loss=train_loss,
            validation_loss=validation_loss,
            final_train_loss=float(loss),
            outputs=outputs,
            status=Status[status],
            stopped_at=int(stopped_at),
            best_epoch=None if best is None else int(best),
            seconds=rows.seconds,
            kept=None if whole else (float(zeros), float(spread)),
            stationarity=None if stationarity is None else float(stationarity),
            slope=None if slope is None else float(slope),
            polish_iterations=int(polish),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise Unreadable(str(error)) from error


def _arrays(rows: Rows, table: str) -> list[NDArray[Any]]:
    """A table's arrays, in the order of their names in :data:`_SHAPES`."""
    found = unpacked(rows.tensors[table])
    arrays = []
    for name in _SHAPES[table]:
        if name not in found or found[name].dtype not in _TYPES.get(name, _SINGLE):
            raise Unreadable(name)
        arrays.append(found[name])
    return arrays


def _suits(trial: Trial, outputs: Any, part: Part | None) -> bool:
    """Whether outputs are those of a network on a fold's validation rows."""
    if not outputs.shape[0] or part is None:
        return True
    return bool(outputs.shape == (part.validation.size, trial.network.outputs))


def _number(value: float | None) -> float | str | None:
    """What is not finite as text: SQLite would take a number that is none for nothing."""
    if value is None:
        return None
    value = float(value)
    return value if isfinite(value) else repr(value)
