"""Are a penalty and dropout redundant or complementary? A grid of both, fold by fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.detect.gains import Floats, loss_name
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.exhibits.choice import compared, honest_losses
from shrinkage.exhibits.exhibit import Basis
from shrinkage.exhibits.interaction_record import Interaction, Way
from shrinkage.exhibits.lambdas import around, bracket, guess
from shrinkage.exhibits.ratio import ratio_over_folds
from shrinkage.intervals import Interval
from shrinkage.penalties import L2, Penalty
from shrinkage.scores import Failures, default_metric, standard_error, unit, usable
from shrinkage.study import Study, Trial

DROPOUTS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65)
_BELOW, _ABOVE = 3, 3
"""Half powers of ten around the λ that a search chose, or that a first look finds best alone."""
_NOTHING_YET = (
    "no fold has all its cells of λ and dropout yet; let the run finish, or try fewer cells"
)


@dataclass(frozen=True)
class InteractionMap:
    """The question, and what to try for its answer.

    Parameters
    ----------
    penalty : Penalty or None, default None
        None for the penalty that a search recommended before, else L2.
    lambdas : tuple of float or None, default None
        λ to try; 0 is always among them. None for half powers of ten around the λ that a search
        recommended before, else around the best of a few that are tried first.
    dropouts : tuple of float, default (0, 0.1, 0.2, 0.35, 0.5, 0.65)
        Shares of hidden units dropped; 0 is always among them.

    Raises
    ------
    SettingError
        On a λ or a dropout out of range, or nothing to combine.
    """

    penalty: Penalty | None = None
    lambdas: tuple[float, ...] | None = None
    dropouts: tuple[float, ...] = DROPOUTS

    name: ClassVar[str] = "interaction"
    title: ClassVar[str] = "Interaction: a penalty and dropout, alone and together"
    needs_weights: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for dropout in self.dropouts:
            if not 0 <= dropout < 1:
                raise SettingError(f"dropout is {dropout:g}; it must lie in [0, 1)")
        for lam in self.lambdas or ():
            if not 0 <= lam < float("inf"):
                raise SettingError(f"λ is {lam:g}; it must be a finite number, 0 or larger")
        if not any(self.dropouts):
            raise SettingError("no dropout above 0 is to be tried; give some such as 0.2,0.5")
        if self.lambdas is not None and not any(self.lambdas):
            raise SettingError("no λ above 0 is to be tried; give some such as 0.001,0.01,0.1")

    def trials(self, basis: Basis) -> Iterator[Trial]:
        """The whole grid, or where its λ are not known yet a first look for them."""
        if not basis.network.hidden:
            raise SettingError(
                "dropout turns hidden units off, but the network has none; give it some with "
                "--hidden"
            )
        penalty, lambdas = self._penalty(basis), self._lambdas(basis)
        if lambdas is None:
            return bracket(basis, penalty, dropout=0.0)
        return self._grid(basis, penalty, lambdas)

    def further(self, basis: Basis, study: Study) -> Iterator[Trial]:
        """The grid around the best λ of the first look."""
        penalty = self._penalty(basis)
        if self._lambdas(basis) is not None:
            return
        best = guess(bracket(basis, penalty, dropout=0.0), study)
        if best is not None:
            yield from self._grid(basis, penalty, around(best, _BELOW, _ABOVE))

    def later(self, basis: Basis) -> int:
        """Cells of the grid after a first look, but for what that has tried."""
        if self._lambdas(basis) is not None:
            return 0
        return len(basis.folds) * (_BELOW + 2 + _ABOVE) * len({0.0, *self.dropouts})

    def _penalty(self, basis: Basis) -> Penalty:
        return self.penalty or (basis.choice[0] if basis.choice else L2())

    def _lambdas(self, basis: Basis) -> list[float] | None:
        """λ that are known before anything is trained."""
        if self.lambdas is not None:
            return list(self.lambdas)
        if basis.choice is None or basis.choice[0] != self._penalty(basis):
            return None
        return around(basis.choice[1], _BELOW, _ABOVE)

    def _grid(self, basis: Basis, penalty: Penalty, lambdas: list[float]) -> Iterator[Trial]:
        """Every cell on a fold before the next fold, all from the same seed: paired."""
        for fold in basis.folds:
            for dropout in sorted({0.0, *self.dropouts}):
                for lam in sorted({0.0, *lambdas}):
                    kind = penalty if lam else None
                    yield basis.trial(fold, penalty=kind, lam=lam, dropout=dropout)

    def read(self, study: Study) -> Interaction:
        """See :func:`interaction`."""
        return interaction(study)


def interaction(study: Study) -> Interaction:
    """Read the grid of a study whose trials are those of an :class:`InteractionMap`.

    Raises
    ------
    ShrinkageError
        When no fold has all its cells, or the plain network or a whole way failed.
    """
    data = study.data
    penalty = next(trial.penalty for trial in study.trials if trial.penalty is not None)
    lambdas, dropouts = _grid(study)
    losses = _losses(study, lambdas, dropouts)
    plain = losses[0, 0]
    finished = np.isfinite(plain)
    means = losses[:, :, finished].mean(axis=2)

    def way(name: str, rows: slice, columns: slice) -> tuple[Way, Floats]:
        """The best of some cells, and their honest losses (F,)."""
        cells = means[rows, columns]
        row, column = np.unravel_index(int(np.nanargmin(cells)), cells.shape)
        least = float(cells[row, column])
        chosen = honest_losses(_flat(losses[rows, columns]), data)
        gain = compared(plain, chosen, data)
        if gain is None:
            gain = Interval(float(means[0, 0]) - least, -np.inf, np.inf)
        return Way(name, lambdas[rows][row], dropouts[columns][column], least, gain), chosen

    some, none = slice(1, None), slice(1)
    alone, with_penalty = way(f"{penalty.label} alone", some, none)
    dropout, with_dropout = way("dropout alone", none, some)
    both, together = way("both", some, some)
    first = alone.gain.estimate >= dropout.gain.estimate
    better, smaller = (with_penalty, with_dropout) if first else (with_dropout, with_penalty)
    extra = compared(better, together, data)
    if extra is None:
        extra = Interval(min(alone.loss, dropout.loss) - both.loss, -np.inf, np.inf)
    overlap = None
    if alone.helps and dropout.helps:
        # g₁ + g₂ − g₁₂ = smaller gain − what both gain more than the greater.
        overlap = ratio_over_folds((plain - smaller) - (better - together), plain - smaller, data)
    return Interaction(
        penalty=penalty,
        lambdas=lambdas,
        dropouts=dropouts,
        losses=means,
        errors=np.apply_along_axis(standard_error, 2, losses[:, :, finished]),
        loss_name=loss_name(data, study.trials[0].training),
        unit=unit(default_metric(data.task), data),
        folds=int(finished.sum()),
        alone=alone,
        dropout=dropout,
        both=both,
        extra=extra,
        overlap=overlap,
        missing=len(study.missing),
        failures=Failures.of(study.fits),
    )


def _flat(cells: Floats) -> Floats:
    """Cells (I, J, F) as candidates (I·J, F)."""
    flat: Floats = cells.reshape(-1, cells.shape[2])
    return flat


def _grid(study: Study) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """λ and dropouts of the grid; what a first look tried without dropout is not in it."""
    dropouts = sorted({trial.training.dropout for trial in study.trials})
    lambdas = sorted({trial.lam for trial in study.trials if trial.training.dropout})
    if not lambdas:
        raise ShrinkageError(_NOTHING_YET)
    return tuple(lambdas), tuple(dropouts)


def _losses(study: Study, lambdas: tuple[float, ...], dropouts: tuple[float, ...]) -> Floats:
    """Validation losses (I, J, F): NaN in folds that are not complete, and in cells that failed.

    A cell that failed on one fold is out of the choice: its mean would be over other rows.
    """
    shape = (len(lambdas), len(dropouts), len(study.data.parts))
    losses, ended = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    for fit in study.fold_fits:
        trial = fit.trial
        assert trial.fold is not None
        if trial.lam not in lambdas:
            continue
        place = lambdas.index(trial.lam), dropouts.index(trial.training.dropout), trial.fold
        ended[place] = True
        losses[place] = fit.final_validation_loss if usable(fit) else np.nan
    finished = ended.all(axis=(0, 1))
    if not finished.any():
        raise ShrinkageError(_NOTHING_YET)
    losses[:, :, ~finished] = np.nan
    losses[~np.isfinite(losses[:, :, finished]).all(axis=2)] = np.nan
    for what, cells in (
        ("without a penalty and without dropout", losses[:1, :1]),
        ("with every λ alone", losses[1:, :1]),
        ("with every dropout alone", losses[:1, 1:]),
        ("with every λ and dropout together", losses[1:, 1:]),
    ):
        if not np.isfinite(cells).any():
            failures = Failures.of(study.fold_fits)
            remedy = (
                "allow more time for a fit" if failures.out_of_time else "lower the learning rate"
            )
            raise ShrinkageError(
                f"the network {failures.verb} {what}, so there is nothing to compare with; {remedy}"
            )
    return losses
