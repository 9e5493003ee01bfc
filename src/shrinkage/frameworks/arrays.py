"""Rows that a person has prepared for a network of their own → what trials are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part, TestSet
from shrinkage.data.description import Description
from shrinkage.data.fingerprint import fingerprint
from shrinkage.data.splits import split_folds
from shrinkage.errors import DataError, SettingError
from shrinkage.frameworks.answers import Answer

_FEWEST = 2


@dataclass(frozen=True, eq=False)
class OwnRows:
    """Inputs and targets as they were handed in.

    Parameters
    ----------
    inputs : ndarray, shape (rows, …)
        Any number of dimensions behind the rows; real numbers, or codes such as tokens.
    targets : ndarray, shape (rows,) or (rows, K)
        Labels, or numbers.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        return tuple(self.inputs.shape[1:])


def own_rows(inputs: Any, targets: Any, where: str) -> OwnRows:
    """Check rows as they are handed in.

    Parameters
    ----------
    inputs, targets : array-like
        Of the same length.
    where : str
        For messages: ``"train_data"``.

    Raises
    ------
    DataError
        When they do not fit together, are too few, or hold what is not finite.
    """
    x, y = _array(inputs, "inputs", where), _array(targets, "targets", where)
    if x.ndim < 2 or y.ndim not in (1, 2):
        raise DataError(
            f"{where} has inputs of shape {x.shape} and targets of shape {y.shape}; expected "
            "(rows, …) and (rows,) or (rows, targets)"
        )
    if len(x) != len(y):
        raise DataError(
            f"{where} has {len(x):,} rows of inputs and {len(y):,} of targets; give one target for "
            "each row"
        )
    if len(x) < _FEWEST:
        raise DataError(f"{where} has {len(x)} row; at least {_FEWEST} are needed")
    for name, array in (("inputs", x), ("targets", y)):
        if np.iscomplexobj(array):
            raise DataError(f"the {name} of {where} are complex numbers; expected real ones")
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
            raise DataError(
                f"the {name} of {where} are not finite in {len(bad):,} of {len(array):,} rows (the "
                f"first is row {bad[0]}); replace or drop them"
            )
    if not (np.issubdtype(x.dtype, np.number) or x.dtype == bool):
        raise DataError(
            f"the inputs of {where} are of type {x.dtype}; a network takes numbers, so encode them "
            "first"
        )
    return OwnRows(x, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)


def _array(given: Any, what: str, where: str) -> NDArray[Any]:
    try:
        found = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"the {what} of {where} are no array, since rows differ in shape or kind; make them one"
        ) from error
    kinds = {type(one).__name__ for one in found.ravel().tolist()} if found.dtype == object else ()
    if "NoneType" in kinds or ("str" in kinds and len(kinds) > 1):
        raise DataError(
            f"the {what} of {where} are of kind {' and '.join(sorted(kinds))}; give numbers alone, "
            "or text alone, and replace or drop what is missing"
        )
    return found


def own_data(
    train: OwnRows,
    validation: OwnRows | None,
    test: OwnRows | None,
    answer: Answer,
    *,
    folds: int,
    seed: int = 0,
    name: str = "arrays",
) -> Data:
    """Folds over rows that are used as they are: nothing is encoded, scaled or set aside.

    Parameters
    ----------
    train, validation, test : OwnRows
        Without `validation`, there are stratified folds of `train`. With it, every fold trains on
        all of `train` and has its own share of `validation`, so that differences over folds tell
        of seeds and of validation rows, for these training rows. Only verification looks at `test`.
    answer : Answer
        What the targets are.
    folds : int
        At least 2; fewer where there are not enough rows.
    seed : int, default 0
        Of the folds.
    name : str, default "arrays"
        For people.

    Raises
    ------
    DataError
        When rows differ in shape, or labels of other rows do not occur in `train`.
    SettingError
        When there are fewer than 2 folds.
    """
    if folds < 2:
        raise SettingError(f"folds is {folds}; detection needs at least 2 to know its uncertainty")
    given = [rows for rows in (train, validation) if rows is not None]
    for rows, where in ((validation, "val_data"), (test, "test_data")):
        if rows is not None and rows.shape != train.shape:
            raise DataError(
                f"a row of {where} has shape {rows.shape}, but one of train_data {train.shape}"
            )
        if rows is not None and rows.targets.shape[1:] != train.targets.shape[1:]:
            raise DataError(
                f"the targets of {where} have shape {rows.targets.shape}, but those of train_data "
                f"{train.targets.shape}; give as many for each row"
            )
    inputs = np.concatenate([_flat(rows) for rows in given])
    targets = np.concatenate([_targets(rows, answer) for rows in given])
    fit = np.arange(len(train))
    rng = np.random.default_rng(seed)
    held = targets[len(train) :] if validation is not None else targets
    discrete = answer.task != "regression"
    count = _possible(folds, held, discrete=discrete)
    splits = split_folds(held[:, 0], count, rng, discrete=discrete)
    pairs = [
        (fit, len(train) + chosen) if validation is not None else (rest, chosen)
        for rest, chosen in splits
    ]
    nothing = np.empty(0, dtype=np.int64)
    shared = _shared(inputs, targets)
    parts = tuple(shared(rows, chosen) for rows, chosen in pairs)
    full = shared(fit, nothing)
    tested = _test_set(test, full, answer)
    labels = tuple(str(label) for label in answer.classes)
    columns = targets.shape[1]
    target_names = ("y",) if columns == 1 else tuple(f"y{i}" for i in range(columns))
    return Data(
        name=name,
        task=answer.task,
        classes=labels,
        target_names=target_names,
        parts=parts,
        folds=count,
        repeats=1,
        full=full,
        test=tested,
        description=_description(name, answer, labels, (train, validation, test), count),
        fingerprint=fingerprint((answer.task, labels, target_names), (full, *parts), tested),
        independent=validation is not None,
    )


def _flat(rows: OwnRows) -> NDArray[np.float32]:
    return np.ascontiguousarray(rows.inputs.reshape(len(rows), -1), dtype=np.float32)


def _targets(rows: OwnRows, answer: Answer) -> NDArray[np.float32]:
    """Class indices or numbers, (rows, outputs)."""
    if answer.task == "regression":
        try:
            return np.asarray(rows.targets, dtype=np.float32).reshape(len(rows), -1)
        except (ValueError, TypeError) as error:
            raise DataError(
                f"the targets are of type {rows.targets.dtype}, but they are to be predicted as "
                "numbers; give numbers, or say loss='cross_entropy' for classes"
            ) from error
    known = {label: index for index, label in enumerate(answer.classes)}
    strange = sorted({str(label) for label in rows.targets.tolist() if label not in known})
    if strange:
        raise DataError(
            f"the targets hold {', '.join(strange[:3])}, but the classes are "
            f"{', '.join(map(str, answer.classes[:6]))}; give labels that the training rows have"
        )
    codes = [known[label] for label in rows.targets.tolist()]
    return np.array(codes, dtype=np.float32)[:, None]


def _possible(folds: int, held: NDArray[np.float32], *, discrete: bool) -> int:
    """As many folds as the rows to be held out allow."""
    most = len(held)
    if discrete:
        most = int(np.bincount(held[:, 0].astype(np.int64)).max())
    if most < 2:
        raise DataError(
            f"there are {len(held)} rows to validate on; at least 2 of one class are needed"
        )
    return min(folds, most)


def _shared(inputs: NDArray[np.float32], targets: NDArray[np.float32]) -> Any:
    """Makes parts that hold the same arrays."""
    weights = np.ones(len(inputs), dtype=np.float32)
    columns, outputs = inputs.shape[1], targets.shape[1]
    names = tuple(f"x{i}" for i in range(columns))
    zeros, ones = np.zeros(columns), np.ones(columns)

    def part(train: NDArray[np.int64], validation: NDArray[np.int64]) -> Part:
        return Part(
            inputs=inputs,
            targets=targets,
            weights=weights,
            train=train,
            validation=validation,
            columns=names,
            center=zeros,
            scale=ones,
            target_center=np.zeros(outputs),
            target_scale=np.ones(outputs),
            sources=names,
        )

    return part


def _test_set(test: OwnRows | None, full: Part, answer: Answer) -> TestSet:
    if test is None:
        outputs = full.targets.shape[1]
        return TestSet(full.inputs[:0], np.empty((0, outputs)), full.weights[:0])
    targets = _targets(test, answer).astype(np.float64)
    return TestSet(_flat(test), targets, np.ones(len(test), dtype=np.float32))


def _description(
    name: str,
    answer: Answer,
    labels: Sequence[str],
    given: tuple[OwnRows, OwnRows | None, OwnRows | None],
    folds: int,
) -> Description:
    """What the rows are; numbers of rows and of each class are about all of them."""
    train, validation, test = given
    everything = [rows for rows in given if rows is not None]
    columns = int(np.prod(train.shape))
    counts: tuple[tuple[str, int], ...] = ()
    if answer.task != "regression":
        codes = np.concatenate([_targets(rows, answer)[:, 0] for rows in everything])
        found = np.bincount(codes.astype(np.int64), minlength=len(labels))
        counts = tuple(zip(labels, map(int, found)))
    return Description(
        source=name,
        rows=sum(map(len, everything)),
        columns=columns,
        inputs=columns,
        target="y",
        task=answer.task,
        class_counts=counts,
        train_rows=len(train),
        test_rows=0 if test is None else len(test),
        folds=folds,
        repeats=1,
        kinds=(("numeric", columns),),
        warnings=() if validation is None else (_validated_on(validation),),
    )


def _validated_on(validation: OwnRows) -> str:
    return (
        "Each fold trains on all training rows and is validated on its share of "
        f"{len(validation):,} further ones, so intervals are about seeds and validation rows, for "
        "these training rows."
    )
