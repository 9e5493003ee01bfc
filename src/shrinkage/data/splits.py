"""Which rows are trained on, validated on and set aside: stratified, seeded, and never a warning.

Both functions shuffle, sort by stratum and then deal rows out at equal distances. Each stratum is
so represented to within one row, however few rows it has, and the same code serves a number to be
predicted: sorted by its value, every part gets its share of small and of large ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def default_folds(rows: int) -> tuple[int, int]:
    """Folds and repeats that give usable intervals at a bearable cost.

    Parameters
    ----------
    rows : int
        Rows of the table.

    Returns
    -------
    tuple of int
        Folds and repeats: 5 × 2 up to 2,000 rows, 5 × 1 up to 20,000, 3 × 1 beyond.
    """
    if rows <= 2_000:
        return 5, 2
    return (5, 1) if rows <= 20_000 else (3, 1)


def split_test(
    strata: Array, share: float, rng: np.random.Generator, *, discrete: bool
) -> tuple[Rows, Rows]:
    """Set test rows aside.

    Parameters
    ----------
    strata : ndarray of float64, shape (rows,)
        Class index, or a value to spread evenly.
    share : float
        Of the rows, at most one half.
    rng : numpy.random.Generator
        Decides everything that is left to chance.
    discrete : bool
        Whether `strata` are classes; then the only row of a class is never a test row.

    Returns
    -------
    train, test : ndarray of int64
        Ascending row numbers; together all rows, each once.
    """
    dealt = _in_strata_order(strata, rng, discrete)
    wanted = min(max(1, round(share * len(strata))), len(dealt) // 2)
    # Equal steps of at least 2 through the sorted rows, from a random start.
    chosen = ((np.arange(wanted) + rng.random()) * (len(dealt) / wanted)).astype(np.int64)
    is_test = np.zeros(len(strata), dtype=bool)
    is_test[dealt[chosen]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def split_folds(
    strata: Array, folds: int, rng: np.random.Generator, *, discrete: bool
) -> list[tuple[Rows, Rows]]:
    """One repeat of a stratified cross-validation.

    Parameters
    ----------
    strata, rng, discrete
        As in :func:`split_test`; the only row of a class is trained on in every fold.
    folds : int
        At most the number of rows that can be dealt out.

    Returns
    -------
    list of (train, validation)
        For each fold, ascending int64 row numbers.
    """
    dealt = _in_strata_order(strata, rng, discrete)
    blocks = -(-len(dealt) // folds)
    if discrete:
        # One order for all blocks, or a class across two blocks could meet one fold twice.
        labels = np.tile(rng.permutation(folds), blocks)
    else:
        # A new order in each block, or one fold would always get a block's smallest values.
        labels = np.concatenate([rng.permutation(folds) for _ in range(blocks)])
    fold_of = np.full(len(strata), -1, dtype=np.int64)
    fold_of[dealt] = labels[: len(dealt)]
    return [
        (np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds)
    ]


def _in_strata_order(strata: Array, rng: np.random.Generator, discrete: bool) -> Rows:
    """Row numbers sorted by stratum, in random order within one; without lone rows of a class."""
    shuffled = rng.permutation(len(strata))
    ordered = shuffled[np.argsort(strata[shuffled], kind="stable")]
    if discrete:
        _, of_row, counts = np.unique(strata, return_inverse=True, return_counts=True)
        ordered = ordered[counts[of_row[ordered]] > 1]
    return ordered.astype(np.int64)
