"""A candidate on its way through the folds, and Optuna's trial behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shrinkage.tune.joint.candidate import Candidate

if TYPE_CHECKING:
    import optuna


@dataclass
class Entry:
    """One candidate of a search under way.

    Parameters
    ----------
    number : int
        In the order of asking.
    asked : optuna.trial.Trial
        What Optuna knows it by.
    candidate : Candidate
        What it is.
    scores : dict of int to float
        Fold → score; NaN where it is not defined, infinitely bad where the fit diverged.
    told : bool
        Whether Optuna knows how it ended.
    """

    number: int
    asked: optuna.trial.Trial
    candidate: Candidate
    scores: dict[int, float] = field(default_factory=dict)
    told: bool = False

    def mean(self, folds: int | None = None) -> float:
        """Mean score over the first `folds` folds, or all; NaN where it is defined on none."""
        # In the order of the folds, whatever order they were finished in.
        values = [
            self.scores[fold] for fold in sorted(self.scores) if folds is None or fold < folds
        ]
        defined = [value for value in values if not np.isnan(value)]
        return float(np.mean(defined)) if defined else float("nan")

    def by_fold(self, folds: int) -> NDArray[np.float64]:
        """Scores of all folds, (folds,), NaN where there is none."""
        found = np.full(folds, np.nan)
        for fold, value in self.scores.items():
            found[fold] = value
        return found

    @staticmethod
    def stored(
        number: int, frozen: optuna.trial.FrozenTrial, study: optuna.Study, candidate: Candidate
    ) -> Entry:
        """An entry as a stored search left it."""
        import optuna

        scores = {int(fold): value for fold, value in frozen.user_attrs.get("scores", {}).items()}
        asked = optuna.trial.Trial(study, frozen._trial_id)
        return Entry(number, asked, candidate, scores, told=frozen.state.is_finished())

    def store(self) -> None:
        """Keep the scores with Optuna's trial."""
        kept = {str(fold): value for fold, value in self.scores.items()}
        self.asked.set_user_attr("scores", kept)

    def report(self, study: optuna.Study, mean: float, folds: int, *, spared: bool) -> bool:
        """Report an intermediate score; whether successive halving lets the candidate go on.

        It does so anyhow when `spared`.
        """
        import optuna

        known = study.get_trials(deepcopy=False)[self.asked.number].intermediate_values
        if folds not in known:
            self.asked.report(mean, folds)
        if not self.asked.should_prune() or spared:
            return True
        study.tell(self.asked, state=optuna.trial.TrialState.PRUNED, skip_if_finished=True)
        self.told = True
        return False

    def tell(self, study: optuna.Study, value: float | None) -> None:
        """The final score; None for a failure."""
        import optuna

        state = optuna.trial.TrialState.FAIL if value is None else None
        study.tell(self.asked, value, state=state, skip_if_finished=True)
        self.told = True
