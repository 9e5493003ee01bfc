"""The lesson's data: a toy problem drawn anew for each seed, with rows to test on in plenty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from shrinkage.data import Data, TestSet, bundled
from shrinkage.data.numeric import Arrays, from_arrays, scaled
from shrinkage.data.splits import split_folds
from shrinkage.errors import SettingError

VALIDATION, TEST = 1_000, 10_000


def toy(
    problem: str = "moons",
    seed: int = 0,
    *,
    rows: int = 100,
    noise: float | None = 0.25,
    validation: int = VALIDATION,
    test: int = TEST,
    folds: int = 0,
    repeats: int = 1,
    standardize: bool = False,
) -> Data:
    """Draw a toy problem.

    Toys are generators, so rows to validate and to test on need not be taken from the few that
    are trained on: they are drawn fresh, in plenty.

    Parameters
    ----------
    problem : str, default "moons"
        One of :data:`shrinkage.data.TOY_PROBLEMS`.
    seed : int, default 0
        Same seed, same rows; not below 0.
    rows : int, default 100
        Rows to train on, as many as the lesson has.
    noise : float or None, default 0.25
        Standard deviation of the noise; None for what suits the problem.
    validation, test : int, default 1000 and 10000
        Fresh rows to validate and to test on.
    folds : int, default 0
        Cross-validation among the rows to train on, instead of fresh rows to validate on.
    repeats : int, default 1
        Of the cross-validation, with other folds.
    standardize : bool, default False
        Inputs to mean 0 and deviation 1 over the training rows; the lesson takes them as they are.

    Returns
    -------
    Data
        Without `folds`, fold 0 trains on all rows and validates on the fresh ones.

    Raises
    ------
    SettingError
        On an unknown problem or a number that cannot be used.

    Examples
    --------
    >>> data = toy("moons", seed=3)
    >>> [data.part(0).train.size, data.part(0).validation.size, len(data.test.targets)]
    [100, 1000, 10000]
    """
    if seed < 0:
        raise SettingError(f"seed is {seed}; it must be 0 or larger")
    train = _drawn(problem, rows, noise, seed, 0)
    splits = []
    if folds:
        rng = np.random.default_rng((seed, 3))
        splits = [
            split
            for _ in range(repeats)
            for split in split_folds(train.targets[:, 0], folds, rng, discrete=True)
        ]
    data = from_arrays(
        train,
        classes=_classes(problem),
        splits=splits,
        held_out=None if folds else _drawn(problem, validation, noise, seed, 1),
        standardize=standardize,
        merge=False,
        columns=("x1", "x2"),
        name=problem,
    )
    tested = _drawn(problem, test, noise, seed, 2)
    inputs = scaled(tested.inputs, data.full.center, data.full.scale)
    return replace(
        data,
        target_names=("class",),
        folds=folds or 1,
        repeats=repeats if folds else 1,
        test=TestSet(inputs, tested.targets, np.ones(test, dtype=np.float32)),
        description=replace(data.description, test_rows=test),
    )


def pooled(draws: Sequence[Data]) -> Data:
    """Draws of one problem side by side: part number i is the first part of draw number i.

    Parameters
    ----------
    draws : sequence of Data
        At least one, without folds of their own.

    Returns
    -------
    Data
        Of independent parts; whatever is not of a part is the first draw's.
    """
    return replace(
        draws[0],
        parts=tuple(data.part(0) for data in draws),
        folds=len(draws),
        independent=True,
        fingerprint="-".join(data.fingerprint for data in draws),
    )


def _drawn(problem: str, rows: int, noise: float | None, seed: int, place: int) -> Arrays:
    """Rows of one kind; those of different places are independent."""
    own = int(np.random.SeedSequence((seed, place)).generate_state(1)[0])
    table, target = bundled(problem, rows, noise, own)
    codes = table[target].cat.codes.to_numpy()
    inputs = table.drop(columns=target).to_numpy()
    return Arrays(inputs, codes[:, None].astype(np.float64), np.ones(rows))


def _classes(problem: str) -> tuple[str, ...]:
    table: pd.DataFrame = bundled(problem, 10)[0]
    return tuple(table["class"].cat.categories)
