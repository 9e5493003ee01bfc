"""The parts and the test set of a table that was read and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import Part, TestSet
from shrinkage.data.columns import Columns
from shrinkage.data.encode import encode
from shrinkage.data.shared import encode_shared, move
from shrinkage.data.stored import StoredTable
from shrinkage.data.target import Target

if TYPE_CHECKING:
    import pandas as pd

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Read:
    """A table read but not yet split: inputs, target, weights and places of its usable rows.

    The columns of a large table are not read before it is split.
    """

    table: pd.DataFrame | StoredTable
    known: NDArray[np.bool_]
    names: tuple[str, ...]
    columns: Columns | None
    target: Target
    weights: NDArray[np.float64]
    rows: Rows
    warnings: tuple[str, ...]


def shared_parts(
    read: Read, train: Rows, test: Rows, splits: Sequence[tuple[Rows, Rows]]
) -> tuple[Columns, Part, tuple[Part, ...], TestSet]:
    """All parts and the test set of a large table, over one array of inputs."""

    def column(name: str) -> pd.Series:
        values = read.table[name]
        return values if len(read.rows) == len(values) else values.loc[read.known]

    encoded, tested, columns, least = encode_shared(column, read.names, read.rows + 1, train, test)
    fit = np.arange(len(train))
    values = read.target.values
    targets, center, scale = _standardize_target(read.target, values[train], fit)
    full = Part(
        inputs=encoded.inputs,
        targets=targets,
        weights=_mean_one(read.weights[train], fit),
        train=fit,
        validation=np.empty(0, dtype=np.int64),
        columns=encoded.names,
        center=encoded.center,
        scale=encoded.scale,
        target_center=center,
        target_scale=scale,
        sources=encoded.sources,
    )
    equal = bool((full.weights == 1.0).all())
    parts = []
    for moved, (fitted, held_out) in zip(
        move(encoded, [fitted for fitted, _ in splits], least), splits, strict=True
    ):
        if read.target.task == "regression":
            targets, center, scale = _standardize_target(read.target, values[train], fitted)
        parts.append(
            replace(
                full,
                targets=targets,
                weights=full.weights if equal else _mean_one(read.weights[train], fitted),
                train=fitted,
                validation=held_out,
                target_center=center,
                target_scale=scale,
                **vars(moved),
            )
        )
    weights = _mean_one(read.weights[test], np.arange(len(test)))
    test_set = TestSet(tested, values[test].astype(np.float64), weights)
    return columns, full, tuple(parts), test_set


def full_and_test(read: Read, columns: Columns, train: Rows, test: Rows) -> tuple[Part, TestSet]:
    """The part of every training row, and the test set seen through its preprocessing."""
    fit = np.arange(len(train))
    encoded = encode(columns, np.concatenate([train, test]), fit)
    values = read.target.values
    targets, center, scale = _standardize_target(read.target, values[train], fit)
    full = Part(
        inputs=encoded.inputs[: len(train)],
        targets=targets,
        weights=_mean_one(read.weights[train], fit),
        train=fit,
        validation=np.empty(0, dtype=np.int64),
        columns=encoded.names,
        center=encoded.center,
        scale=encoded.scale,
        target_center=center,
        target_scale=scale,
        sources=encoded.sources,
    )
    weights = _mean_one(read.weights[test], np.arange(len(test)))
    test_set = TestSet(encoded.inputs[len(train) :], values[test].astype(np.float64), weights)
    return full, test_set


def part_of(read: Read, columns: Columns, rows: Rows, train: Rows, validation: Rows) -> Part:
    """The part of one fold: of `rows`, the rows at the places `train` are trained on."""
    encoded = encode(columns, rows, train)
    targets, center, scale = _standardize_target(read.target, read.target.values[rows], train)
    return Part(
        inputs=encoded.inputs,
        targets=targets,
        weights=_mean_one(read.weights[rows], train),
        train=train,
        validation=validation,
        columns=encoded.names,
        center=encoded.center,
        scale=encoded.scale,
        target_center=center,
        target_scale=scale,
        sources=encoded.sources,
    )


def _standardize_target(
    target: Target, values: NDArray[np.float64], fit: Rows
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Class indices as they are; numbers with mean 0 and deviation 1 over the fitted rows."""
    if target.task != "regression":
        return values.astype(np.float32), np.zeros(1), np.ones(1)
    center, scale = values[fit].mean(axis=0), values[fit].std(axis=0)
    scale[scale == 0] = 1.0
    return ((values - center) / scale).astype(np.float32), center, scale


def _mean_one(weights: NDArray[np.float64], fit: Rows) -> NDArray[np.float32]:
    scaled: NDArray[np.float64] = weights / weights[fit].mean()
    return scaled.astype(np.float32)
