"""A large table encoded once, in single precision, for every fold and the test set.

Columns are read one after another, so that beside the encoded table only a few columns lie in
memory. Each fold's training rows still decide how its inputs are standardized: by two numbers for
each input, applied where rows are gathered for a step. What all training rows decide together is
the median in place of a missing number, which categories are rare, and the components of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.columns import Columns, read_column, require_some
from shrinkage.data.encode import (
    LEAST_FLAG_SCALE,
    Encoded,
    encode_text,
    fit_categories,
    standardize,
)

if TYPE_CHECKING:
    import pandas as pd

LARGE = 100_000_000
"""Cells of a table from which on its folds share one encoded table: 400 MB in single precision."""

# Rows that statistics are taken of in one go: their float64 copies stay in a core's cache.
_ROWS_AT_ONCE = 1024

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Input = tuple[str, str, float, NDArray[Any]]
"""An input's name, the column that it comes from, its least scale, and its values."""


@dataclass(frozen=True, eq=False)
class Moved:
    """How one fold sees the shared inputs.

    Parameters
    ----------
    shift, stretch : ndarray of float32, shape (columns,)
        See :class:`shrinkage.data.Part`.
    center, scale : ndarray of float64, shape (columns,)
        The same, from the values before standardization.
    """

    shift: NDArray[np.float32]
    stretch: NDArray[np.float32]
    center: Floats
    scale: Floats


def encode_shared(
    read: Callable[[str], pd.Series],
    names: Sequence[str],
    rows: Rows,
    train: Rows,
    test: Rows,
) -> tuple[Encoded, NDArray[np.float32], Columns, Floats]:
    """Encode a table column by column, standardized by all training rows.

    The columns are read twice: to know how many inputs they become, and to encode them.

    Parameters
    ----------
    read : callable
        The usable rows of a column.
    names : sequence of str
        Input columns of the table.
    rows : ndarray of int64
        Row numbers of the usable rows, from 1, for messages.
    train, test : ndarray of int64
        Positions among the usable rows.

    Returns
    -------
    encoded : Encoded
        The training rows.
    tested : ndarray of float32, shape (test rows, inputs)
        The test rows, standardized like them.
    columns : Columns
        What was found, without the values.
    least : ndarray of float64, shape (inputs,)
        Least scale of each input, in units of its scale.

    Raises
    ------
    DataError
        On infinities, or when no usable column is left.
    """
    columns = Columns(rows)
    counts: list[tuple[str, int]] = []
    for name in names:
        read_column(columns, name, read(name))
        width = sum(1 for _ in _inputs(columns, train, test[:0]))
        counts.append((name, width))
        _forget(columns)
    require_some(columns)
    total = sum(width for _, width in counts)
    encoded, tested = (np.empty((len(some), total), np.float32) for some in (train, test))
    inputs: list[tuple[str, str]] = []
    centers, scales, least = (np.empty(total) for _ in range(3))
    for name, width in counts:
        if not width:
            continue
        again = Columns(rows)
        read_column(again, name, read(name))
        for label, source, least_scale, values in _inputs(again, train, test):
            place = len(inputs)
            standardized, center, scale = standardize(
                values[:, None], slice(len(train)), np.array([least_scale]), images=False
            )
            encoded[:, place], tested[:, place] = np.split(standardized[:, 0], [len(train)])
            centers[place], scales[place] = center[0], scale[0]
            least[place] = least_scale / scale[0]
            inputs.append((label, source))
    labels, sources = zip(*inputs, strict=True)
    return Encoded(encoded, labels, sources, centers, scales), tested, columns, least


def _forget(columns: Columns) -> None:
    """Let go of a column's values; what was counted stays."""
    columns.numbers.clear()
    columns.categories.clear()
    columns.texts.clear()
    columns.flags.clear()


def _inputs(columns: Columns, train: Rows, test: Rows) -> Iterator[Input]:
    """The inputs that one column becomes: of its training rows, then of the test rows."""
    order = np.concatenate([train, test])
    while columns.numbers:
        name, values = columns.numbers.pop(0)
        least = LEAST_FLAG_SCALE if name in columns.flags else 0.0
        values = values[order].astype(np.float64)
        missing = np.isnan(values)
        known = values[: len(train)][~missing[: len(train)]]
        if missing.any():
            values[missing] = np.median(known) if len(known) else 0.0
        marked = len(known) < len(train)
        del known
        yield name, name, least, values
        if marked:
            del values
            yield f"{name} is missing", name, LEAST_FLAG_SCALE, missing
    for name, codes, labels in columns.categories:
        encode_codes, named, _ = fit_categories(codes[train][:, None], {name: labels})
        # One row for each code there is, the missing one first.
        each = encode_codes(np.arange(-1, len(labels))[:, None])
        places = codes[order] + 1
        for label, values in zip(named, each.T, strict=True):
            yield label, name, LEAST_FLAG_SCALE, values[places]
    for name, letters in columns.texts:
        components, named, _, scales = encode_text(letters, name, order, np.arange(len(train)))
        for label, least, values in zip(named, scales, components.T, strict=True):
            yield label, name, float(least), values


def move(encoded: Encoded, folds: Sequence[Rows], least: Floats) -> list[Moved]:
    """How each fold sees shared inputs: with mean 0 and deviation 1 over its own training rows.

    Parameters
    ----------
    encoded : Encoded
        Standardized by other rows.
    folds : sequence of ndarray of int64
        The training rows of each.
    least : ndarray of float64, shape (inputs,)
        Least scale of each input.
    """
    found = []
    for rows in folds:
        mean, deviation = _moments(encoded.inputs, rows)
        constant = np.isnan(deviation)
        scale = np.where(constant, 1.0, np.maximum(deviation, least))
        scale[scale == 0] = 1.0
        found.append(
            Moved(
                shift=mean.astype(np.float32),
                # Nothing can be learnt from a constant, so unseen values say nothing.
                stretch=np.where(constant, 0.0, 1.0 / scale).astype(np.float32),
                center=encoded.center + encoded.scale * mean,
                scale=np.where(constant, 1.0, encoded.scale * scale),
            )
        )
    return found


def _moments(inputs: NDArray[np.float32], rows: Rows) -> tuple[Floats, Floats]:
    """Mean and deviation of each column over some rows; NaN for that of a constant.

    Pieces are joined as by Chan, Golub & LeVeque (1983), "Algorithms for computing the sample
    variance", which loses no digits where a mean is far from 0.
    """
    mean, squares = (np.zeros(inputs.shape[1]) for _ in range(2))
    low, high = np.full(inputs.shape[1], np.inf), np.full(inputs.shape[1], -np.inf)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = inputs[rows[start : start + _ROWS_AT_ONCE]].astype(np.float64)
        low, high = np.minimum(low, some.min(axis=0)), np.maximum(high, some.max(axis=0))
        own = some.mean(axis=0)
        some -= own
        total = start + len(some)
        apart = own - mean
        squares += np.square(some).sum(axis=0) + np.square(apart) * (start * len(some) / total)
        mean += apart * (len(some) / total)
    deviation = np.sqrt(squares / len(rows))
    return np.where(low == high, low, mean), np.where(low == high, np.nan, deviation)
