"""From a table to arrays, folds and a test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shrinkage.data.arrays import Data
from shrinkage.data.columns import read_columns
from shrinkage.data.describe import describe
from shrinkage.data.description import counted
from shrinkage.data.fingerprint import fingerprint
from shrinkage.data.parts import Read, full_and_test, part_of, shared_parts
from shrinkage.data.pixels import require_pixels
from shrinkage.data.put_away import give_back, put_away
from shrinkage.data.shared import LARGE
from shrinkage.data.splits import default_folds, split_folds, split_test
from shrinkage.data.stored import StoredTable
from shrinkage.data.target import Target, find_target, read_target
from shrinkage.errors import DataError, SettingError

if TYPE_CHECKING:
    import pandas as pd

MINIMUM_ROWS = 10

Rows = NDArray[np.int64]


def prepare(
    table: pd.DataFrame | StoredTable,
    target: str | Sequence[str] | None = None,
    *,
    task: str = "auto",
    folds: int | None = None,
    repeats: int | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    name: str = "table",
    sample_weight: ArrayLike | None = None,
    image: tuple[int, int] | None = None,
) -> Data:
    """Make a table ready for training.

    A stratified test set is set aside first. The other rows are split into repeated stratified
    folds, and each fold is imputed, encoded and standardized by its training rows alone.

    Parameters
    ----------
    table : DataFrame or StoredTable
        Inputs and target; numbers, booleans, dates, categories and text. A table of
        :data:`LARGE` cells or more is encoded once for all folds, one column after another.
    target : str, sequence of str or None, default None
        Column to predict; several for a regression of several targets. None takes the one
        column called target, label, class or y.
    task : str, default "auto"
        ``"auto"``, ``"classification"`` or ``"regression"``.
    folds, repeats : int or None, default None
        Of the cross-validation; None chooses by :func:`default_folds`.
    test_size : float, default 0.2
        Share of the rows set aside, above 0 and at most 0.5.
    seed : int, default 0
        Of all splits.
    name : str, default "table"
        For people.
    sample_weight : array-like of float, shape (rows,), or None, default None
        Positive weights of the table's rows.
    image : (int, int) or None, default None
        Rows and columns of an image when every row is one and the input columns are its pixels,
        row by row. Pixels that never change are then kept, and all have one scale in common.

    Returns
    -------
    Data

    Raises
    ------
    DataError
        When the table or its target cannot be used.
    SettingError
        When an option cannot be used.
    """
    _check_settings(folds, repeats, test_size)
    read = _read(table, target, task, sample_weight, image)
    data = _split(read, folds, repeats, test_size, seed, name)
    if read.columns is None:
        data = _in_files(data)
        del read
        give_back()
    return data


def _in_files(data: Data) -> Data:
    """The same, with what nothing looks at for most of a run out of memory."""
    return replace(
        data,
        test=replace(data.test, inputs=put_away(data.test.inputs)),
        train_rows=put_away(data.train_rows),
        test_rows=put_away(data.test_rows),
    )


def _split(
    read: Read, folds: int | None, repeats: int | None, test_size: float, seed: int, name: str
) -> Data:
    """Set test rows aside, split the others, and encode them all."""
    strata, discrete = read.target.strata, read.target.task != "regression"
    rng = np.random.default_rng(seed)
    train, test = split_test(strata, test_size, rng, discrete=discrete)
    folds, repeats = _choose_folds(read.target, train, len(strata), folds, repeats)
    splits = [
        split
        for _ in range(repeats)
        for split in split_folds(strata[train], folds, rng, discrete=discrete)
    ]
    if read.columns is None:
        columns, full, parts, test_set = shared_parts(read, train, test, splits)
    else:
        columns = read.columns
        full, test_set = full_and_test(read, columns, train, test)
        parts = tuple(part_of(read, columns, train, *split) for split in splits)
    return Data(
        name=name,
        task=read.target.task,
        classes=read.target.classes,
        target_names=read.target.names,
        parts=parts,
        folds=folds,
        repeats=repeats,
        full=full,
        test=test_set,
        description=describe(
            columns,
            read.target,
            (*read.warnings, *columns.warnings),
            train,
            test,
            full,
            parts,
            folds,
            repeats,
            name,
        ),
        fingerprint=fingerprint(
            (read.target.task, read.target.classes, read.target.names, full.columns),
            (full, *parts),
            test_set,
        ),
        train_rows=read.rows[train],
        test_rows=read.rows[test],
    )


def _check_settings(folds: int | None, repeats: int | None, test_size: float) -> None:
    if folds is not None and folds < 2:
        raise SettingError(f"folds is {folds}; cross-validation needs at least 2")
    if repeats is not None and repeats < 1:
        raise SettingError(f"repeats is {repeats}; cross-validation needs at least 1")
    if not 0 < test_size <= 0.5:
        raise SettingError(f"test size is {test_size}; it must be above 0 and at most 0.5")


def _read(
    table: pd.DataFrame | StoredTable,
    target: str | Sequence[str] | None,
    task: str,
    sample_weight: ArrayLike | None,
    image: tuple[int, int] | None,
) -> Read:
    """Check and understand the table."""
    if not isinstance(table, StoredTable):
        table = table.set_axis([str(column) for column in table.columns], axis=1)
        repeated = sorted(set(table.columns[table.columns.duplicated()]))
    else:
        repeated = []
    if repeated:
        raise DataError(f"column name '{repeated[0]}' is used more than once; rename the columns")
    names = find_target(list(table.columns), target)
    weights = _check_weights(sample_weight, len(table))
    targets = table[list(names)]
    known = targets.notna().all(axis=1).to_numpy()
    rows = np.flatnonzero(known) + 1
    if len(rows) < MINIMUM_ROWS:
        without = " with a target" if len(rows) < len(table) else ""
        raise DataError(
            f"the table has {counted(len(rows), 'row')}{without}; training, validating and testing "
            f"need at least {MINIMUM_ROWS}"
        )
    warnings: list[str] = []
    if len(rows) < len(table):
        lost = counted(len(table) - len(rows), "row")
        warnings.append(f"Left out {lost} in which the target is missing.")
        targets = targets.loc[known]
    understood = read_target(targets, names, task, rows)
    inputs = tuple(name for name in table.columns if name not in names)
    said = (*warnings, *understood.warnings)
    columns = None
    if image is not None or len(table) * len(inputs) < LARGE:
        whole = table[list(inputs)] if isinstance(table, StoredTable) else table
        whole = whole.loc[known] if len(rows) < len(whole) else whole
        columns = read_columns(whole, inputs, rows, images=image is not None)
    if image is not None and columns is not None:
        require_pixels(columns, image)
    return Read(table, known, inputs, columns, understood, weights[known], rows - 1, said)


def _check_weights(sample_weight: ArrayLike | None, rows: int) -> NDArray[np.float64]:
    if sample_weight is None:
        return np.ones(rows)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (rows,):
        raise SettingError(
            f"sample weights have shape {weights.shape}; expected one for each row, ({rows},)"
        )
    wrong = np.flatnonzero(~((weights > 0) & np.isfinite(weights)))
    if len(wrong):
        raise SettingError(
            f"the sample weight of row {wrong[0] + 1} is {weights[wrong[0]]:g}; weights must be "
            "positive and finite, so leave rows out that should not count"
        )
    return weights


def _choose_folds(
    target: Target, train: Rows, rows: int, folds: int | None, repeats: int | None
) -> tuple[int, int]:
    usual_folds, usual_repeats = default_folds(rows)
    if target.task == "regression":
        largest, of_what = len(train), "rows"
    else:
        largest = int(np.bincount(target.values[train, 0].astype(np.int64)).max())
        of_what = "rows of the largest class"
    if folds is not None and folds > largest:
        raise SettingError(
            f"{folds} folds are more than the {largest} {of_what} (after the test set was set "
            f"aside); use at most {largest} folds"
        )
    return folds or min(usual_folds, largest), repeats or usual_repeats
