"""What of a budget is kept for the time after the search: refits and the ablation."""

from __future__ import annotations

from dataclasses import dataclass

from shrinkage.tune.joint.budget import Budget

_ABLATION = 0.22
"""Share of the budget that the ablation may take."""
_REFITS = 0.3
"""Share that the refits may take."""
_FULL = 1.35
"""How much longer a fit on every training row takes than one on a fold, at most."""
_SLACK = 1.15
"""Threads seldom all end at the same moment."""


@dataclass(frozen=True)
class Reserve:
    """Rules of thumb for one search.

    Parameters
    ----------
    folds : int
        Of all repeats.
    committee : int
        Refits of the best candidate that are wanted.
    base_refits : int
        Refits of the base that are wanted.
    threads : int
        That train at the same time.
    """

    folds: int
    committee: int
    base_refits: int
    threads: int

    @property
    def least(self) -> int:
        """Fits without which nothing can be compared: base and one candidate, and a refit each."""
        return 2 * self.folds + 2

    def refits(self, budget: Budget, cost: float) -> int:
        """Networks of the committee that the budget pays for."""
        if budget.seconds is None:
            assert budget.fits is not None
            most = int(_REFITS * budget.fits) // 2
        else:
            each = 2 * _FULL * cost / self.threads
            most = self.committee if each <= 0 else int(_REFITS * budget.seconds / each)
        return min(max(most, 1), self.committee)

    def ablation_folds(self, budget: Budget, cost: float, ingredients: int) -> int:
        """Folds that an ablation of so many ingredients can afford; 0 when fewer than two."""
        fits = ingredients + 1
        if budget.seconds is None:
            assert budget.fits is not None
            folds = int(_ABLATION * budget.fits) // fits
        else:
            each = fits * cost / self.threads
            folds = self.folds if each <= 0 else int(_ABLATION * budget.seconds / each)
            if folds < 2 and each * 2 <= 1.5 * _ABLATION * budget.seconds:
                folds = 2
        return min(folds, self.folds) if folds >= 2 else 0

    def fits(self, budget: Budget, ingredients: int, *, done: bool) -> int:
        """Fits to be kept; without a complete candidate (`done`), also those that make one."""
        refits = self.refits(budget, 0.0)
        kept = refits + 2 * min(self.base_refits, refits)
        kept += self.ablation_folds(budget, 0.0, ingredients) * (ingredients + 1)
        assert budget.fits is not None
        # A small budget is for the search first.
        most = max(budget.fits - 2 * self.folds, 2)
        return min(kept, most // 2 if most > 2 else 2) + (0 if done else self.folds)

    def seconds(self, budget: Budget, cost: float, ingredients: int, *, done: bool) -> float:
        """The same in seconds, when a fit of the best candidate takes `cost`."""
        refits = self.refits(budget, cost)
        fits = _FULL * (refits + 2 * min(self.base_refits, refits))
        fits += self.ablation_folds(budget, cost, ingredients) * (ingredients + 1)
        fits += 0 if done else self.folds
        return _SLACK * fits * cost / self.threads
