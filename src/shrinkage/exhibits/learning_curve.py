"""Would more rows help more than a penalty? The same training on parts of the training rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.detect.gains import Floats, loss_name
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.exhibits.choice import chosen_elsewhere, measured
from shrinkage.exhibits.exhibit import Basis
from shrinkage.exhibits.lambdas import around, bracket, guess
from shrinkage.exhibits.learning_curve_record import LearningCurve, compare
from shrinkage.penalties import L2, Penalty
from shrinkage.scores import Failures, default_metric, unit, usable
from shrinkage.study import Study, Trial
from shrinkage.training import Training

SIZES = (0.125, 0.25, 0.5, 0.75, 1.0)
FEWEST_SIZES = 3
"""A curve with a floor has three numbers."""
FEWEST_ROWS = 20
_FEWEST_OF_A_CLASS = 2
_BELOW, _ABOVE = 2, 4
"""Half powers of ten around the λ that a search chose, or that a first look finds best on all rows:
fewer rows ask for more of it."""
_MOST_EPOCHS = 10
"""Multiple of the training's epochs that a small part of the rows may take."""
_NOTHING_YET = "no fold has all its training sizes yet; let the run finish, or try fewer sizes"


@dataclass(frozen=True)
class GrowingData:
    """The question, and what to try for its answer.

    Parameters
    ----------
    sizes : tuple of float or None, default None
        Shares of a fold's training rows, in (0, 1]; all of them are always tried too. None for
        1/8, 1/4, 1/2, 3/4 and 1, without those that leave too few rows.
    penalty : Penalty or None, default None
        None for the penalty that a search recommended before, else L2.
    lambdas : tuple of float or None, default None
        λ to choose from at every size, each above 0. None for half powers of ten around the λ
        that a search recommended before, else around the best of a few that are tried first.

    Raises
    ------
    SettingError
        On a size or λ out of range, or too few sizes.
    """

    sizes: tuple[float, ...] | None = None
    penalty: Penalty | None = None
    lambdas: tuple[float, ...] | None = None

    name: ClassVar[str] = "learning-curve"
    title: ClassVar[str] = "Learning curve: more rows, or a penalty"
    needs_weights: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for size in self.sizes or ():
            if not 0 < size <= 1:
                raise SettingError(
                    f"size is {size:g}; it is a share of the training rows and must lie in (0, 1]"
                )
        if self.sizes is not None and len({1.0, *self.sizes}) < FEWEST_SIZES:
            raise SettingError(
                f"a learning curve needs at least {FEWEST_SIZES - 1} different sizes below 1; give "
                "some such as 0.25,0.5"
            )
        for lam in self.lambdas or ():
            if not 0 <= lam < float("inf"):
                raise SettingError(f"λ is {lam:g}; it must be a finite number, 0 or larger")
        if self.lambdas is not None and not any(self.lambdas):
            raise SettingError("no λ above 0 is to be tried; give some such as 0.001,0.01,0.1")

    def trials(self, basis: Basis) -> Iterator[Trial]:
        """All curves, or where their λ are not known yet a first look for them on all rows."""
        shares = self._shares(basis.data)
        penalty, lambdas = self._penalty(basis), self._lambdas(basis)
        if lambdas is None:
            return bracket(basis, penalty)
        return _curves(basis, shares, penalty, lambdas)

    def further(self, basis: Basis, study: Study) -> Iterator[Trial]:
        """The curves with λ around the best of the first look."""
        penalty = self._penalty(basis)
        if self._lambdas(basis) is not None:
            return
        best = guess(bracket(basis, penalty), study)
        if best is not None:
            lambdas = around(best, _BELOW, _ABOVE)
            yield from _curves(basis, self._shares(basis.data), penalty, lambdas)

    def later(self, basis: Basis) -> int:
        """Trials of the curves after a first look, but for what that has tried."""
        if self._lambdas(basis) is not None:
            return 0
        return len(basis.folds) * (_BELOW + 2 + _ABOVE) * len(self._shares(basis.data))

    def _penalty(self, basis: Basis) -> Penalty:
        return self.penalty or (basis.choice[0] if basis.choice else L2())

    def _lambdas(self, basis: Basis) -> list[float] | None:
        """λ that are known before anything is trained."""
        if self.lambdas is not None:
            return list(self.lambdas)
        if basis.choice is None or basis.choice[0] != self._penalty(basis):
            return None
        return around(basis.choice[1], _BELOW, _ABOVE)

    def _shares(self, data: Data) -> list[float]:
        """Shares that leave rows enough, rising to 1."""
        total = min(part.train.size for part in data.parts)
        fewest = max(_fewest_rows(data), FEWEST_ROWS)
        wanted = sorted({1.0, *(self.sizes or SIZES)})
        usual = [share for share in wanted if round(share * total) >= fewest]
        if self.sizes is not None and len(usual) < len(wanted):
            raise SettingError(
                f"size {wanted[0]:g} leaves {round(wanted[0] * total)} of {total} training rows, "
                f"but at least {fewest} are needed to train on; give larger sizes"
            )
        if len({round(share * total) for share in usual}) < FEWEST_SIZES:
            raise DataError(
                f"a fold has {total} training rows, too few for a learning curve; at least "
                f"{2 * fewest} are needed"
            )
        return usual

    def read(self, study: Study) -> LearningCurve:
        """See :func:`learning_curve`."""
        return learning_curve(study)


def _curves(
    basis: Basis, shares: list[float], penalty: Penalty, lambdas: list[float]
) -> Iterator[Trial]:
    """Every size and λ on a fold before the next fold, all rows first; paired by their seed."""
    for fold in basis.folds:
        total = basis.data.parts[fold].train.size
        for share in reversed(shares):
            rows = round(share * total)
            how = _longer(basis.training, rows, total)
            for lam in sorted({0.0, *lambdas}):
                kind = penalty if lam else None
                # All rows is what a search tries as well: the same trial.
                part = None if rows == total else rows
                yield basis.trial(fold, penalty=kind, lam=lam, rows=part, **how)


def _fewest_rows(data: Data) -> int:
    """Rows of which even the rarest class has a few; the parts keep the classes' shares."""
    if data.task == "regression":
        return 1
    rarest = 1.0
    for part in data.parts:
        counts = np.bincount(part.targets[part.train, 0].astype(np.int64))
        rarest = min(rarest, float(counts[counts > 0].min()) / part.train.size)
    return ceil(_FEWEST_OF_A_CLASS / rarest)


def _longer(training: Training, rows: int, total: int) -> dict[str, Any]:
    """Epochs (and patience) for about as many steps as on all rows."""
    if rows == total:
        return {}
    steps = Fraction(ceil(total / training.batch_size), ceil(rows / training.batch_size))
    factor = min(steps, Fraction(_MOST_EPOCHS))
    changed: dict[str, Any] = {"epochs": round(training.epochs * factor)}
    if training.patience is not None:
        changed["patience"] = round(training.patience * factor)
    return changed


def learning_curve(study: Study) -> LearningCurve:
    """Read the curves of a study whose trials are those of :class:`GrowingData`.

    Inputs are encoded and scaled on all of a fold's training rows whatever the size, so the
    smallest sizes look a little better than a table of so few rows would.

    Raises
    ------
    ShrinkageError
        When no fold has all its fits, or one network diverged everywhere.
    """
    data = study.data
    penalty = next(trial.penalty for trial in study.trials if trial.penalty is not None)
    # What a first look tried on all rows alone belongs to no curve.
    lambdas = tuple(sorted({trial.lam for trial in study.trials if trial.rows is not None}))
    if not lambdas:
        raise ShrinkageError(_NOTHING_YET)
    rows, losses = _losses(study, lambdas)
    finished = np.isfinite(losses[1, 0]).all(axis=0)
    if not finished.any():
        raise ShrinkageError(_NOTHING_YET)
    honest = np.stack(
        [
            [measured(values, chosen_elsewhere(judged, data)) for values in (trained, judged)]
            for trained, judged in losses[:, 1:].transpose(2, 0, 1, 3)
        ],
        axis=1,
    )
    used = np.isfinite(honest[1]).all(axis=0)
    if not used.any():
        raise ShrinkageError(
            "the network with a penalty cannot be compared: its λ is chosen on other folds, and "
            "too few of them have finished; let the run finish, or use more folds (--folds)"
        )
    means = _means(losses[1, 1:], finished)
    best = tuple(lambdas[1 + int(index)] for index in np.argmin(means, axis=0))
    return compare(
        data,
        penalty=penalty,
        lambdas=lambdas[1:],
        best=best,
        rows=rows[:, used].mean(axis=1),
        plain=np.where(used, losses[:, 0], np.nan),
        penalized=np.where(used, honest, np.nan),
        loss_name=loss_name(data, study.trials[0].training),
        unit=unit(default_metric(data.task), data),
        missing=len(study.missing),
        failures=Failures.of(study.fits),
    )


def _means(losses: Floats, finished: NDArray[np.bool_]) -> Floats:
    """Means (I, S) over the finished folds; inf where one failed."""
    means = losses[:, :, finished].mean(axis=2)
    found: Floats = np.where(np.isfinite(means), means, np.inf)
    return found


def _losses(study: Study, lambdas: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Rows (S, F), and training and validation losses (2, I, S, F), NaN where one is missing.

    A fold counts when all its trials have ended. A λ that failed at a size on one fold is out of
    the choice there: its mean would be over other rows.
    """
    data = study.data
    sizes: dict[int, list[int]] = {}
    for fold, part in enumerate(data.parts):
        own = {trial.rows or part.train.size for trial in study.trials if trial.fold == fold}
        sizes[fold] = sorted(own)
    shape = (len(lambdas), len(sizes[0]), len(data.parts))
    losses = np.full((2, *shape), np.nan)
    ended = np.zeros(shape, dtype=bool)
    for fit in study.fold_fits:
        trial = fit.trial
        assert trial.fold is not None
        if trial.lam not in lambdas:
            continue
        rows = trial.rows or data.parts[trial.fold].train.size
        place = lambdas.index(trial.lam), sizes[trial.fold].index(rows), trial.fold
        ended[place] = True
        if usable(fit):
            losses[(0, *place)] = fit.final_train_loss
            losses[(1, *place)] = fit.final_validation_loss
    finished = ended.all(axis=(0, 1)) & np.isfinite(losses[1, 0]).all(axis=0)
    losses[:, :, :, ~finished] = np.nan
    failed = ~np.isfinite(losses[1][:, :, finished]).all(axis=2)
    losses[:, failed] = np.nan
    return np.array([sizes[fold] for fold in range(len(data.parts))]).T, losses
