"""Which λ an exhibit tries when nobody names any: half powers of ten around a first guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import log10
from typing import Any

import numpy as np

from shrinkage.exhibits.exhibit import Basis
from shrinkage.penalties import Penalty
from shrinkage.scores import usable
from shrinkage.study import Study, Trial
from shrinkage.tune import power

_HALVES = range(-10, 3)
"""Half powers of ten that are tried for the guess. Whole ones are too coarse: the best λ may lie
between one that does too little and one that leaves nothing but a constant prediction."""
_LOWEST, _HIGHEST = -4, 1
_FOLDS = 3
"""Folds it is made on: of one alone it would follow the noise further."""


def bracket(basis: Basis, penalty: Penalty, **training: Any) -> Iterator[Trial]:
    """Half powers of ten on the first folds; `training` as in :meth:`Basis.trial`."""
    for fold in basis.folds[: min(_FOLDS, basis.data.folds)]:
        for half in _HALVES:
            yield basis.trial(fold, penalty=penalty, lam=power(half / 2), **training)


def guess(trials: Iterable[Trial], study: Study) -> float | None:
    """The λ with the least mean validation loss among the trials of a bracket.

    Parameters
    ----------
    trials : iterable of Trial
        Of :func:`bracket`.
    study : Study
        With their fits, and maybe with others.

    Returns
    -------
    float or None
        Neither so small nor so large that the half powers of ten around it would all do nothing,
        or nothing but harm. None when no fit is usable.
    """
    asked = set(trials)
    losses: dict[float, list[float]] = defaultdict(list)
    for fit in study.fits:
        if fit.trial in asked and usable(fit):
            losses[fit.trial.lam].append(fit.final_validation_loss)
    most = max(map(len, losses.values()), default=0)
    means = {lam: np.mean(own) for lam, own in losses.items() if len(own) == most}
    if not means:
        return None
    return min(max(min(means, key=means.__getitem__), power(_LOWEST)), power(_HIGHEST))


def around(lam: float, below: int, above: int) -> list[float]:
    """Half powers of ten, so many below and above the one nearest to `lam`, rising.

    Examples
    --------
    >>> around(0.012, 1, 2)
    [0.00316, 0.01, 0.0316, 0.1]
    """
    middle = round(2 * log10(lam))
    return [power(half / 2) for half in range(middle - below, middle + above + 1)]
