"""From what was read and split to the description that people see."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import FARTHEST, Part
from shrinkage.data.columns import KINDS, Columns
from shrinkage.data.description import Description, counted
from shrinkage.data.encode import MISSING_HANDLING
from shrinkage.data.problems import TOY_PROBLEMS
from shrinkage.data.target import Target

# Standardized inputs beyond this are told of: they may be mistakes, and training feels them.
_FAR_OUT = 50.0
# Spreads of the inputs that differ by more than this factor are told of.
_SCALES_APART = 1e6

Rows = NDArray[np.int64]


def describe(
    columns: Columns,
    target: Target,
    warnings: tuple[str, ...],
    train: Rows,
    test: Rows,
    full: Part,
    parts: tuple[Part, ...],
    folds: int,
    repeats: int,
    name: str,
) -> Description:
    """The description of a prepared table; `warnings` are those from reading it."""
    class_counts: tuple[tuple[str, int], ...] = ()
    if target.task != "regression":
        counts = np.bincount(target.values[:, 0].astype(np.int64), minlength=len(target.classes))
        class_counts = tuple(zip(target.classes, (int(count) for count in counts), strict=True))
    missing = sum(columns.missing.values())
    return Description(
        source=name,
        rows=len(train) + len(test),
        columns=sum(columns.kinds.values()) + len(columns.dropped),
        inputs=full.n_inputs,
        target=", ".join(target.names),
        task=target.task,
        class_counts=class_counts,
        train_rows=len(train),
        test_rows=len(test),
        folds=folds,
        repeats=repeats,
        kinds=tuple((kind, columns.kinds[kind]) for kind in KINDS if kind in columns.kinds),
        missing=missing,
        missing_columns=len(columns.missing),
        missing_handling=MISSING_HANDLING if missing else "",
        dropped=tuple(columns.dropped),
        warnings=(
            *warnings,
            *_split_warnings(target, train, test, folds),
            *_many_inputs(full),
            *_scales_apart(full),
            *_far_out(full),
            *_cut_off(parts),
        ),
        is_toy=name in TOY_PROBLEMS,
    )


def _split_warnings(target: Target, train: Rows, test: Rows, folds: int) -> tuple[str, ...]:
    """Classes too small to be in every fold, or to be in the test set."""
    if target.task == "regression":
        return ()
    of_rows = target.values[:, 0].astype(np.int64)
    size = len(target.classes)
    in_train = np.bincount(of_rows[train], minlength=size)
    in_test = np.bincount(of_rows[test], minlength=size)
    sentences = []
    few = (in_train < folds) & (in_train + in_test > 1)
    for chosen, consequence in (
        (few & (in_train > 1), "some folds validate without them"),
        (few & (in_train == 1), "always trained on and never validated"),
    ):
        if chosen.any():
            named = [
                f"'{target.classes[index]}' ({counted(int(in_train[index]), 'row')})"
                for index in np.flatnonzero(chosen)
            ]
            sentences.append(
                f"Fewer training rows than the {folds} folds: {_listed(named)}; {consequence}."
            )
    untested = [f"'{target.classes[index]}'" for index in np.flatnonzero(in_test == 0)]
    if untested:
        sentences.append(f"The test set has no row of {_listed(untested)}.")
    return tuple(sentences)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _many_inputs(full: Part) -> tuple[str, ...]:
    rows, inputs = full.inputs.shape
    sentence = (
        f"There are more inputs ({inputs:,}) than training rows ({rows:,}), so a network can learn "
        "the rows by heart."
    )
    return (sentence,) if inputs > rows else ()


def _scales_apart(full: Part) -> tuple[str, ...]:
    largest, smallest = int(full.scale.argmax()), int(full.scale.argmin())
    factor = full.scale[largest] / full.scale[smallest]
    sentence = (
        f"The spread of input '{full.columns[largest]}' is {factor:.0e} times that of "
        f"'{full.columns[smallest]}'; every input is standardized, so neither dominates."
    )
    return (sentence,) if factor > _SCALES_APART else ()


def _far_out(full: Part) -> tuple[str, ...]:
    far = next(_farthest((full,)))
    worst = int(far.argmax())
    sentence = (
        f"Input '{full.columns[worst]}' has values {far[worst]:.0f} standard deviations from its "
        "mean; check them for mistakes, or take the column's logarithm."
    )
    return (sentence,) if far[worst] > _FAR_OUT else ()


def _cut_off(parts: tuple[Part, ...]) -> tuple[str, ...]:
    """Inputs that lay beyond what single precision can hold, seen from a fold's training rows."""
    names = {
        part.columns[index]
        for part, far in zip(parts, _farthest(parts), strict=True)
        for index in np.flatnonzero(far >= FARTHEST)
    }
    return tuple(
        f"Input '{name}' has values more than {FARTHEST:,.0f} standard deviations from the mean of "
        "other rows, and was cut off there; check them for mistakes, or take its logarithm."
        for name in sorted(names)
    )


def _farthest(parts: tuple[Part, ...]) -> Iterator[NDArray[np.float32]]:
    """The largest magnitude of each input, part by part; what parts share is read once."""
    shared: NDArray[np.float32] | None = None
    for part in parts:
        if part.inputs is not shared:
            shared = part.inputs
            ends = np.stack([shared.min(axis=0), shared.max(axis=0)])
        yield np.abs((ends - part.shift) * part.stretch if part.shares else ends).max(axis=0)
