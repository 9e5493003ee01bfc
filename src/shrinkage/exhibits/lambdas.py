"""Which λ an exhibit tries when nobody names any: half powers of ten around a first guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import log10
from typing import Any

import numpy as np

from shrinkage.exhibits.exhibit import Basis
from shrinkage.penalties import Penalty
from shrinkage.scores import usable
from shrinkage.study import Study, Trial
from shrinkage.tune import power

_POWERS = range(-6, 2)
"""Exponents of the λ that are tried for the guess."""
_FOLDS = 3
"""Folds it is made on: of one alone it would follow the noise further."""


def bracket(basis: Basis, penalty: Penalty, **training: Any) -> Iterator[Trial]:
    """Powers of ten on the first folds; `training` as in :meth:`Basis.trial`."""
    for fold in basis.folds[: min(_FOLDS, basis.data.folds)]:
        for exponent in _POWERS:
            yield basis.trial(fold, penalty=penalty, lam=power(exponent), **training)


def guess(study: Study, penalty: Penalty) -> float | None:
    """The λ of the bracket with the least mean validation loss; None when none is finished."""
    losses: dict[float, list[float]] = defaultdict(list)
    for fit in study.fold_fits:
        trial = fit.trial
        if trial.penalty == penalty and trial.rows is None and usable(fit):
            losses[trial.lam].append(fit.final_validation_loss)
    most = max(map(len, losses.values()), default=0)
    means = {lam: np.mean(own) for lam, own in losses.items() if len(own) == most}
    return min(means, key=means.__getitem__) if means else None


def around(lam: float, below: int, above: int) -> list[float]:
    """Half powers of ten, so many below and above the one nearest to `lam`, rising.

    Examples
    --------
    >>> around(0.012, 1, 2)
    [0.00316, 0.01, 0.0316, 0.1]
    """
    middle = round(2 * log10(lam))
    return [power(half / 2) for half in range(middle - below, middle + above + 1)]
