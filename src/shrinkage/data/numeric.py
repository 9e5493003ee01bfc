"""Arrays of numbers → what the engine trains on; the caller encodes and splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import FARTHEST, Data, Part, Task, TestSet
from shrinkage.data.description import Description
from shrinkage.data.fingerprint import fingerprint

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS_AT_ONCE = 4096
# Of SplitMix64 (Steele, Lea & Flood 2014), whose steps the keys of rows are made with.
_GOLDEN, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Rows of numbers with their targets and weights.

    Parameters
    ----------
    inputs : ndarray of float, shape (rows, columns)
        Finite.
    targets : ndarray of float64, shape (rows, outputs)
        One column with the index of the class, or the numbers to predict.
    weights : ndarray of float64, shape (rows,)
        Finite, not negative; a row of weight 0 is as if it were not there.
    """

    inputs: NDArray[Any]
    targets: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: Rows) -> Arrays:
        """Those of the rows that have a weight, in their order."""
        rows = rows[self.weights[rows] > 0]
        return Arrays(self.inputs[rows], self.targets[rows], self.weights[rows])

    def merged(self) -> Arrays:
        """Each different row once, with the sum of its weights.

        The order follows from the rows' values alone. So it makes no difference, to the last bit,
        whether a row is repeated or weighs more, nor in which order the rows came.
        """
        keys = _keys(self)
        order = np.lexsort((self.weights, keys))
        inputs, targets, keys = self.inputs[order], self.targets[order], keys[order]
        same = np.zeros(order.size, dtype=bool)
        alike = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        same[alike] = (inputs[alike] == inputs[alike - 1]).all(axis=1)
        same[alike] &= (targets[alike] == targets[alike - 1]).all(axis=1)
        first = np.flatnonzero(~same)
        return Arrays(inputs[first], targets[first], np.add.reduceat(self.weights[order], first))


def _keys(arrays: Arrays) -> NDArray[np.uint64]:
    """A hash of each row's values."""
    keys = np.empty(len(arrays), dtype=np.uint64)
    for start in range(0, len(arrays), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        values = np.hstack([arrays.inputs[some], arrays.targets[some]]).astype(np.float64)
        bits = np.ascontiguousarray(values + 0.0).view(np.uint64)  # −0.0 and 0.0 are one value
        bits += _GOLDEN * np.arange(1, bits.shape[1] + 1, dtype=np.uint64)
        for _ in range(2):
            bits ^= bits >> _SHIFT
            bits *= _MIX
        bits ^= bits >> _SHIFT
        keys[some] = bits.sum(axis=1, dtype=np.uint64)
    return keys


def from_arrays(
    arrays: Arrays,
    *,
    classes: Sequence[Any] | None,
    splits: Sequence[tuple[Rows, Rows]] = (),
    held_out: Arrays | None = None,
    standardize: bool = True,
    merge: bool = True,
    columns: Sequence[str] | None = None,
    name: str = "arrays",
) -> Data:
    """Make arrays ready for training; nothing is encoded, imputed or set aside.

    Parameters
    ----------
    arrays : Arrays
        Every row to train on; some must have a weight.
    classes : sequence or None
        What the class indices stand for, at least two; None for a regression.
    splits : sequence of (ndarray of int64, ndarray of int64), default ()
        For each fold the rows to train and to validate on.
    held_out : Arrays, optional
        Rows that are only validated on; they make one more fold, trained on every row of `arrays`.
    standardize : bool, default True
        Inputs, and the targets of a regression, to mean 0 and deviation 1, by the weighted training
        rows of each fold; otherwise they are used as they are.
    merge : bool, default True
        See :meth:`Arrays.merged`. Without it the rows of each part keep their order.
    columns : sequence of str, optional
        Names of the inputs; ``x0``, ``x1`` … by default.
    name : str, default "arrays"
        For people.

    Returns
    -------
    Data
        With an empty test set. The inputs of each part are its training rows, then its validation
        rows.
    """
    names = tuple(columns or (f"x{i}" for i in range(arrays.inputs.shape[1])))

    def part(train: Arrays, validation: Arrays | None) -> Part:
        return _part(train, validation, names, classes is None, standardize, merge)

    every = np.arange(len(arrays))
    full = part(arrays.take(every), None)
    parts = [
        part(arrays.take(np.asarray(train)), arrays.take(np.asarray(held)))
        for train, held in splits
    ]
    if held_out is not None:
        parts.append(part(arrays.take(every), held_out.take(np.arange(len(held_out)))))
    task: Task = "regression"
    if classes is not None:
        task = "binary" if len(classes) == 2 else "multiclass"
    outputs = arrays.targets.shape[1]
    target_names = ("y",) if outputs == 1 else tuple(f"y{i}" for i in range(outputs))
    labels = tuple(str(label) for label in classes or ())
    nothing = np.empty((0, len(names)), dtype=np.float32)
    test = TestSet(nothing, np.empty((0, outputs)), full.weights[:0])
    return Data(
        name=name,
        task=task,
        classes=labels,
        target_names=target_names,
        parts=tuple(parts),
        folds=max(len(parts), 1),
        repeats=1,
        full=full,
        test=test,
        description=_describe(name, task, labels, full, target_names, len(parts)),
        fingerprint=fingerprint((task, labels, target_names, names), (full, *parts), test),
    )


def _part(
    train: Arrays,
    validation: Arrays | None,
    names: tuple[str, ...],
    regression: bool,
    standardize: bool,
    merge: bool,
) -> Part:
    if validation is None:
        validation = train.take(np.empty(0, dtype=np.int64))
    if merge:
        train = train.merged()
        validation = validation.merged() if len(validation) else validation
    rows = len(train) + len(validation)
    inputs = np.empty((rows, len(names)), dtype=np.float32)
    targets = np.empty((rows, train.targets.shape[1]), dtype=np.float32)
    center, scale = _statistics(train.inputs, train.weights, standardize)
    target_center, target_scale = _statistics(
        train.targets, train.weights, standardize and regression
    )
    target_scale[np.isinf(target_scale)] = 1.0
    for start, of in ((0, train), (len(train), validation)):
        for begin in range(0, len(of), _ROWS_AT_ONCE):
            some = slice(begin, begin + _ROWS_AT_ONCE)
            place = slice(start + begin, start + min(begin + _ROWS_AT_ONCE, len(of)))
            inputs[place] = scaled(of.inputs[some], center, scale)
            targets[place] = (of.targets[some] - target_center) / target_scale
    weights = np.concatenate([train.weights, validation.weights]) / train.weights.mean()
    return Part(
        inputs=inputs,
        targets=targets,
        weights=weights.astype(np.float32),
        train=np.arange(len(train)),
        validation=np.arange(len(train), rows),
        columns=names,
        center=center,
        scale=scale,
        target_center=target_center,
        target_scale=target_scale,
        sources=names,
    )


def scaled(values: NDArray[Any], center: Floats, scale: Floats) -> NDArray[np.float32]:
    """(values − center) / scale in float64, cut off where single precision would lose them."""
    shifted = (np.asarray(values, dtype=np.float64) - center) / scale
    return np.clip(shifted, -FARTHEST, FARTHEST).astype(np.float32)


def _statistics(values: NDArray[Any], weights: Floats, standardize: bool) -> tuple[Floats, Floats]:
    """Weighted mean and deviation of each column; 0 and 1 where nothing is to be changed.

    Nothing can be learnt from a constant column, so its deviation is infinite: unseen values say
    nothing either.
    """
    columns = values.shape[1]
    if not standardize:
        return np.zeros(columns), np.ones(columns)
    wide = np.asarray(values, dtype=np.float64)
    # Not a matrix product: the bits of those depend on a library's threads.
    shares = (weights / weights.sum())[:, None]
    constant = wide.min(axis=0) == wide.max(axis=0)
    center = np.where(constant, wide[0], (shares * wide).sum(axis=0))
    scale = np.sqrt((shares * np.square(wide - center)).sum(axis=0))
    return center, np.where(constant, np.inf, np.where(scale == 0, 1.0, scale))


def _describe(
    name: str,
    task: Task,
    labels: tuple[str, ...],
    full: Part,
    targets: tuple[str, ...],
    folds: int,
) -> Description:
    counts: tuple[tuple[str, int], ...] = ()
    if task != "regression":
        found = np.bincount(full.targets[:, 0].astype(np.int64), minlength=len(labels))
        counts = tuple(zip(labels, map(int, found), strict=True))
    return Description(
        source=name,
        rows=len(full.train),
        columns=full.n_inputs,
        inputs=full.n_inputs,
        target=", ".join(targets),
        task=task,
        class_counts=counts,
        train_rows=len(full.train),
        test_rows=0,
        folds=folds,
        repeats=1,
        kinds=(("numeric", full.n_inputs),),
    )
