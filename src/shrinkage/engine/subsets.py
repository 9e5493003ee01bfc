"""Some of a fold's training rows: for learning curves, and for stopping early on the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError

Rows = NDArray[np.int64]


def some_of(train: Rows, labels: NDArray[np.float32] | None, count: int) -> Rows:
    """The first `count` of the training rows in an order that keeps the classes' shares.

    Parameters
    ----------
    train : ndarray of int64, shape (n,)
        Row numbers.
    labels : ndarray, shape (rows,), or None
        Class index of every row; None for a regression.
    count : int
        How many, from 1 to n.

    Returns
    -------
    ndarray of int64, shape (count,)
        Ascending. The same rows in every call; a larger count contains those of a smaller one.

    Raises
    ------
    SettingError
        When there are not that many rows.
    """
    if not 1 <= count <= train.size:
        raise SettingError(
            f"rows is {count}, but there are {train.size} training rows; choose from 1 to that"
        )
    return np.sort(_in_turn(train, labels, 0)[:count])


def held_back(
    train: Rows, labels: NDArray[np.float32] | None, share: float, seed: int
) -> tuple[Rows, Rows]:
    """Split training rows into those to train on and those to stop early on.

    Parameters
    ----------
    train, labels
        As in :func:`some_of`.
    share : float
        Of the rows to be held back; at least one is, and at least one is not.
    seed : int
        Of the trial.

    Returns
    -------
    train, held : ndarray of int64
        Ascending; together all rows.

    Raises
    ------
    SettingError
        With a single row.
    """
    if train.size < 2:
        raise SettingError(
            "early stopping needs at least 2 training rows where no fold gives it validation rows; "
            "leave out patience"
        )
    count = min(max(1, round(share * train.size)), train.size - 1)
    order = _in_turn(train, labels, seed)
    return np.sort(order[count:]), np.sort(order[:count])


def _in_turn(train: Rows, labels: NDArray[np.float32] | None, seed: int) -> Rows:
    """The rows in random order, every stretch of which has the classes in their shares."""
    rng = np.random.default_rng((seed, 0x5EED))
    shuffled = rng.permutation(train)
    if labels is None:
        return shuffled
    places = np.empty(shuffled.size)
    for label in np.unique(labels[shuffled]):
        own = np.flatnonzero(labels[shuffled] == label)
        # Spread evenly from 0 to 1, the classes' first ones drawn apart.
        places[own] = (np.arange(own.size) + rng.random()) / own.size
    return shuffled[np.argsort(places, kind="stable")]
