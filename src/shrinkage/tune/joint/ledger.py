"""What a joint search knows: its candidates, its fits, and how they compare."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shrinkage.data import Data
from shrinkage.scores import greater_is_better, score, usable
from shrinkage.study import Fit, Trial
from shrinkage.tune.joint.ablation import Floats
from shrinkage.tune.joint.candidate import Candidate
from shrinkage.tune.joint.entry import Entry

_REFITS, _FOLDS, _AGAIN = 0, 1_000_000, 2_000_000
"""Where the seeds of refits, of folds, and of the ablations' folds begin."""


@dataclass
class Ledger:
    """Everything that was asked and answered so far.

    Parameters
    ----------
    data : Data
        The folds.
    base : Candidate
        Without regularization.
    metric : str
        By which candidates are compared.
    seed : int
        Of everything random.
    stores : bool
        Whether candidates may come from a file, which knows their scores but not their fits.
    trials : dict of Trial to None
        All that were asked for, in order.
    fits : dict of Trial to Fit
        The answers.
    spent : dict of Trial to float
        Processor seconds of each.
    entries : list of Entry
        Candidates in the order of asking.
    count : int
        Fits that the budget pays for, those of a stored search included.
    """

    data: Data
    base: Candidate
    metric: str
    seed: int
    stores: bool
    trials: dict[Trial, None] = field(default_factory=dict)
    fits: dict[Trial, Fit] = field(default_factory=dict)
    spent: dict[Trial, float] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    count: int = 0

    @property
    def folds(self) -> range:
        """Indices of the folds of all repeats."""
        return range(len(self.data.parts))

    @property
    def sign(self) -> float:
        """1 where a larger score is better, else −1."""
        return 1.0 if greater_is_better(self.metric) else -1.0

    def trial(
        self, candidate: Candidate, fold: int | None, draw: int = 0, *, again: bool = False
    ) -> Trial:
        """The question to the engine: a fold (`again`, with other seeds) or a refit."""
        # Every candidate starts a fold from the same draws: paired.
        place = _REFITS + draw if fold is None else (_AGAIN if again else _FOLDS) + fold
        seed = int(np.random.SeedSequence((self.seed, place)).generate_state(1)[0])
        return candidate.trial(self.data.part(fold).n_inputs, fold, seed)

    def score_of(self, trial: Trial) -> float:
        """NaN where the metric is not defined; as bad as can be where the fit diverged."""
        fit = self.fits.get(trial)
        if fit is None:
            return float("nan")
        if not usable(fit):
            return -self.sign * float("inf")
        return score(self.metric, fit, self.data)

    def by_fold(self, fits: dict[int, Fit]) -> Floats:
        """Scores of a candidate's fits, (F,), NaN where there is none."""
        scores = np.full(len(self.folds), np.nan)
        for fold, fit in fits.items():
            scores[fold] = score(self.metric, fit, self.data)
        return scores

    @property
    def complete(self) -> list[Entry]:
        """Candidates that were scored on every fold."""
        return [entry for entry in self.entries if len(entry.scores) == len(self.folds)]

    def leader(self) -> Entry | None:
        """The complete candidate with the best mean; the first of equals."""
        best: Entry | None = None
        for entry in self.complete:
            if np.isfinite(entry.mean()) and (best is None or self.better(entry, best)):
                best = entry
        return best

    def better(self, one: Entry, other: Entry) -> bool:
        """Whether the mean of `one` is better."""
        return bool(self.sign * (one.mean() - other.mean()) > 0)

    def rank(self, entry: Entry, folds: int) -> float:
        """Smaller is better; a candidate that diverged comes last."""
        mean = entry.mean(folds)
        return -self.sign * mean if np.isfinite(mean) else np.inf

    def has_fits(self, entry: Entry) -> bool:
        """Of a candidate from a stored search only the scores are known."""
        return all(self.trial(entry.candidate, fold) in self.fits for fold in self.folds)

    def restored(self, trial: Trial) -> bool:
        """Whether a fit repeats one that a stored search has counted."""
        return self.stores and any(
            trial.fold in entry.scores and trial == self.trial(entry.candidate, trial.fold)
            for entry in self.entries
        )

    def cost(self, entry: Entry | None, elapsed: float, threads: int) -> float:
        """Seconds of the budget's clock that a fit of a candidate takes one thread.

        Its processor time, times what a second of that has cost so far: more than one where other
        programs or waiting threads slow it down.
        """
        candidate = self.base if entry is None else entry.candidate
        known = [
            self.spent[trial]
            for fold in self.folds
            if (trial := self.trial(candidate, fold)) in self.spent
        ]
        if not known:  # of a stored search
            known = [self.spent[trial] for trial in self.spent if trial.fold is not None]
        spent = sum(self.spent.values())
        burden = max(elapsed * threads / spent, 1.0) if spent else 1.0
        return burden * float(np.mean(known)) if known else 0.0
