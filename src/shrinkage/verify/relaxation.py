"""The relaxed refit: what survives a penalty, trained once more without it, and compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shrinkage.data import TestSet
from shrinkage.detect.gains import by_fold, gains_over, loss_name, over_folds
from shrinkage.intervals import Interval, decimals
from shrinkage.penalties import Penalty, describe
from shrinkage.scores import default_metric, unit
from shrinkage.study import Fit, Study
from shrinkage.verify.performance import Effect, effects


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The selected penalty with and without a second training of the weights that survive it.

    Parameters
    ----------
    label : str
        The penalty: ``"L1, λ = 0.01"``.
    epochs : int
        Epochs of the second training.
    loss_name, unit : str
        What is compared on the folds.
    penalized, relaxed : float
        Mean validation loss without and with the second training, on the same folds.
    difference : Interval
        Relaxed − penalized; the interval is that for folds which share training rows. The penalty
        was chosen by the losses it is compared with here, which favours it, so a relaxed refit that
        is better beyond noise is so in earnest.
    folds : int
        Folds compared on.
    effects : tuple of Effect
        Of the second training on the test rows, the loss first; empty without refits.
    rows, seeds : int
        Test rows, and refits on each side.

    References
    ----------
    Meinshausen (2007), "Relaxed Lasso", Computational Statistics & Data Analysis 52.
    """

    label: str
    epochs: int
    loss_name: str
    unit: str
    penalized: float
    relaxed: float
    difference: Interval
    folds: int
    effects: tuple[Effect, ...]
    rows: int
    seeds: int

    @property
    def outcome(self) -> str:
        """On the folds: ``"better"``, ``"worse"`` or ``"no clear difference"``."""
        if not self.difference.bounded or not self.difference.excludes(0.0):
            return "no clear difference"
        return "better" if self.difference.estimate < 0 else "worse"

    @property
    def recommended(self) -> bool:
        """Better on the folds beyond noise, and not worse on the test rows beyond noise."""
        contradicted = bool(self.effects) and self.effects[0].outcome == "worse"
        return self.outcome == "better" and not contradicted

    @property
    def sentence(self) -> str:
        """The comparison with its numbers, and what follows from it."""
        places = decimals(self.penalized, self.relaxed)
        return (
            f"{self.epochs} more epochs without the penalty, for the weights that {self.label} "
            f"leaves, {self._change()} (validation {self.penalized:.{places}f} → "
            f"{self.relaxed:.{places}f}, difference {self.difference.with_unit(self.unit)}, "
            f"{self.folds} {'fold' if self.folds == 1 else 'folds'}){self._on_test_rows()}: "
            f"{self._advice()}."
        )

    def _change(self) -> str:
        if self.outcome == "no clear difference":
            return f"make no clear difference to the {self.loss_name}"
        return f"{'lower' if self.outcome == 'better' else 'raise'} the {self.loss_name}"

    def _on_test_rows(self) -> str:
        if not self.effects:
            return ""
        loss = self.effects[0]
        places = decimals(loss.before.estimate, loss.after.estimate)
        return (
            f", and on the {self.rows:,} test {'row' if self.rows == 1 else 'rows'} it goes from "
            f"{loss.before.estimate:.{places}f} to {loss.after.estimate:.{places}f} (difference "
            f"{loss.difference}, {loss.outcome})"
        )

    def _advice(self) -> str:
        if self.recommended:
            return "the relaxed network is the better one"
        if self.outcome == "better":
            return "the folds and the test rows contradict each other, so keep the penalty"
        return "keep the penalty" if self.outcome == "worse" else "there is no case for it"


def relaxation(
    study: Study, selected: tuple[Penalty | None, float], test: TestSet
) -> Relaxation | None:
    """Compare the relaxed fits of a study with those of the same penalty.

    Parameters
    ----------
    study : Study
        The whole of it: the relaxed trials are not among its principal ones.
    selected : (Penalty, float)
        Penalty and λ.
    test : TestSet
        Rows that nothing has touched so far.

    Returns
    -------
    Relaxation or None
        None when no relaxed fit finished on a fold.
    """
    plain = _of_point(study.principal.fits, selected)
    found = [fit for fit in study.fits if fit.trial.training.relaxed_epochs]
    relaxed = [] if plain and plain[0].trial.training.relaxed_epochs else _of_point(found, selected)
    data = study.data
    losses = [
        by_fold(fits, data, lambda fit: fit.final_validation_loss) for fits in (plain, relaxed)
    ]
    both = np.isfinite(losses[0]) & np.isfinite(losses[1])
    if not both.any():
        return None
    penalized, after = (np.where(both, values, np.nan) for values in losses)
    before_refits, after_refits = _paired(plain, relaxed)
    training = relaxed[0].trial.training
    return Relaxation(
        label=describe(*selected),
        epochs=training.relaxed_epochs,
        loss_name=loss_name(data, training),
        unit=unit(default_metric(data.task), data),
        penalized=float(np.nanmean(penalized)),
        relaxed=float(np.nanmean(after)),
        difference=-over_folds(gains_over(after, penalized), data),
        folds=int(both.sum()),
        effects=effects(before_refits, after_refits, data, test)[0] if after_refits else (),
        rows=len(test.targets),
        seeds=len(after_refits),
    )


def _of_point(fits: tuple[Fit, ...] | list[Fit], point: tuple[Penalty | None, float]) -> list[Fit]:
    return [fit for fit in fits if (fit.trial.penalty, fit.trial.lam) == point and fit.ok]


def _paired(plain: list[Fit], relaxed: list[Fit]) -> tuple[list[Fit], list[Fit]]:
    """Refits on every training row, of the seeds that both sides have."""
    sides = [
        {fit.trial.seed: fit for fit in fits if fit.trial.fold is None} for fits in (plain, relaxed)
    ]
    common = sorted(sides[0].keys() & sides[1].keys())
    return [sides[0][seed] for seed in common], [sides[1][seed] for seed in common]
