"""Of a large table, rows that stand for all where copies or statistics of all would be too much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shrinkage.data import Data, Part, TestSet
from shrinkage.data.put_away import give_back, put_away
from shrinkage.data.shared import LARGE

MANY, MANY_TESTED = LARGE * 4 // 5, LARGE // 5
"""Numbers of the training and of the test inputs of a table that is just large."""
TRAINED, TESTED = 50_000, 100_000
"""Rows of each that stand for all."""


def looked_at(part: Part) -> Part:
    """A part itself, or evenly spaced rows of one so large that a copy of it is to be avoided.

    Of the latter only inputs, targets and weights are those of the rows.
    """
    if part.inputs.size < MANY:
        return part
    give_back()  # the copy need not take memory beside what was before
    some = slice(None, None, -(-len(part.inputs) // TRAINED))
    return replace(
        part,
        inputs=np.ascontiguousarray(part.inputs[some]),
        targets=part.targets[some],
        weights=part.weights[some],
    )


def settle(data: Data) -> None:
    """Between two stages of a large table's run: the next need not take memory beside the last."""
    if any(part.shares for part in data.parts):
        give_back()


def tested(test: TestSet) -> TestSet:
    """A test set itself, or rows drawn from one so large that statistics of all take gigabytes.

    A hundred thousand rows leave intervals that no decision is too fine for. The draw looks at no
    value and is always the same.
    """
    rows = len(test.targets)
    if test.inputs.size < MANY_TESTED or rows <= TESTED:
        return test
    give_back()
    some = np.sort(np.random.default_rng(0).choice(rows, TESTED, replace=False))
    return TestSet(put_away(test.inputs, some), test.targets[some], test.weights[some])
