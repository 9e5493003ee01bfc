"""What a joint search found, as one record that every view shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.detect.gains import honest_gain
from shrinkage.intervals import Interval, decimals
from shrinkage.scores import NAMES, greater_is_better, unit
from shrinkage.study import Fit
from shrinkage.tune.joint.ablation import Ablation
from shrinkage.tune.joint.budget import Budget
from shrinkage.tune.joint.candidate import Candidate

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tried:
    """One candidate and how it did.

    Parameters
    ----------
    number : int
        In the order of asking, from 0.
    candidate : Candidate
        What it was.
    scores : ndarray of float64, shape (F,)
        Of the metric on each fold; NaN where it was not trained or the metric is not defined.
    complete : bool
        Whether it was trained on all folds, and not given up early.
    """

    number: int
    candidate: Candidate
    scores: Floats
    complete: bool

    @property
    def folds(self) -> int:
        """On which it has a score."""
        return int(np.isfinite(self.scores).sum())

    @property
    def mean(self) -> float:
        """Mean score over its folds."""
        return float(np.nanmean(self.scores)) if self.folds else float("nan")


@dataclass(frozen=True, eq=False)
class Joint:
    """The outcome of a joint search.

    Parameters
    ----------
    data : Data
        What was searched on.
    metric : str
        What was improved.
    base : Candidate
        The network without regularization.
    base_scores : ndarray of float64, shape (F,)
        Its score on each fold.
    tried : tuple of Tried
        Every candidate, in the order of asking.
    best : Tried or None
        The complete one with the best mean; None when none is complete.
    pruned_on : int
        The first so many folds decided which candidates went on.
    ablations : tuple of Ablation
        The most helpful ingredient first; empty when the budget had no room.
    members : tuple of Fit
        Refits that are averaged: of the recipes whose average validates best, each with as many
        seeds as it has votes.
    fits : int
        Trained in all, those of baseline, ablation and refits included.
    seconds : float
        Wall-clock time of the search.
    budget : Budget
        What it might take.
    """

    data: Data
    metric: str
    base: Candidate
    base_scores: Floats
    tried: tuple[Tried, ...]
    best: Tried | None
    pruned_on: int
    ablations: tuple[Ablation, ...]
    members: tuple[Fit, ...]
    fits: int
    seconds: float
    budget: Budget

    @property
    def complete(self) -> tuple[Tried, ...]:
        """Candidates that were trained on every fold."""
        return tuple(one for one in self.tried if one.complete)

    @property
    def sign(self) -> float:
        """1 where a larger score is better, else −1."""
        return 1.0 if greater_is_better(self.metric) else -1.0

    @property
    def gain(self) -> Interval | None:
        """By how much the best candidate beats the base, on folds that did not choose it.

        Folds that decided which candidates went on are not measured on; on each other one the
        candidate is measured that is best on the rest of its repeat. What the sampler learnt and
        which candidates went on did rest on rows that are measured in other folds, so a little of
        the flattery is left; the untouched test rows have none.
        """
        if self.best is None:
            return None
        gains = self.sign * (np.stack([one.scores for one in self.complete]) - self.base_scores)
        measures = np.arange(self.base_scores.size) >= self.pruned_on
        return honest_gain(gains, self.data, measures)

    @property
    def recipe(self) -> str:
        """Everything in which the best candidate differs from the base."""
        return "" if self.best is None else self.best.candidate.label(self.base)

    @property
    def seats(self) -> dict[int, int]:
        """Recipe number (from 1) → networks of it on the committee."""
        numbers = {
            (one.candidate.penalty, one.candidate.lam, one.candidate.training): one.number + 1
            for one in self.complete
        }
        places = [
            numbers.get((fit.trial.penalty, fit.trial.lam, fit.trial.training), 0)
            for fit in self.members
        ]
        return dict(sorted(Counter(places).items()))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings, each with its numbers."""
        return tuple(
            filter(None, (self._search(), self._choice(), self._ingredients(), self._seats()))
        )

    def _search(self) -> str:
        seen = sum(one.folds > 0 for one in self.tried)
        everywhere = len(self.complete)
        text = (
            f"{seen} recipe{'s were' if seen != 1 else ' was'} tried with {self.fits:,} fits in "
            f"{self.seconds:.0f} s (budget {self.budget}): {everywhere} on every fold"
        )
        if seen > everywhere:
            text += (
                f", {seen - everywhere} on the first few only, because others did better there or "
                "the budget ended"
            )
        return f"{text}."

    def _choice(self) -> str:
        if self.best is None:
            return "No recipe was trained on every fold, so none is recommended."
        name, suffix = NAMES[self.metric], unit(self.metric, self.data)
        before, after = float(np.nanmean(self.base_scores)), self.best.mean
        places = decimals(before, after)
        alone = self._alone
        text = (
            f"Best recipe: {self.recipe}. Its mean validation {name} is {after:.{places}f}"
            f"{f' {suffix}' if suffix else ''} against {before:.{places}f} {alone}"
        )
        gain = self.gain
        if gain is None:
            return f"{text}."
        if gain.low > 0:
            clear = ""
        elif gain.high < 0:
            clear = ", so it is a loss"
        else:
            clear = ", so it is unclear whether anything is gained"
        told = gain.with_unit(suffix)
        return f"{text}; on folds that had no part in this choice, the gain is {told}{clear}."

    @property
    def _alone(self) -> str:
        """What the base is called: it may have what the user gave and the search leaves alone."""
        training = self.base.training
        given = (
            training.input_dropout,
            training.max_norm,
            training.averaging,
            training.patience,
            training.augmentation,
        )
        return "with what was given alone" if any(given) else "without regularization"

    def _ingredients(self) -> str:
        if not self.ablations:
            return ""
        said, suffix = [], unit(self.metric, self.data)
        for verdict, words in (("helps", "helps"), ("hurts", "hurts")):
            own = [one for one in self.ablations if one.verdict == verdict]
            said += [f"{one.value} {words} by {abs_interval(one).with_unit(suffix)}" for one in own]
        unclear = [one.value for one in self.ablations if one.verdict == "unclear"]
        name = NAMES[self.metric]
        text = f"Removing one ingredient at a time ({name}, over {self.ablations[0].folds} folds): "
        text += "; ".join(said) if said else "no single one makes a clear difference"
        if unclear and said:
            text += f"; unclear for {', '.join(unclear)}"
        return f"{text}."

    def _seats(self) -> str:
        if len(self.members) < 2 or self.best is None:
            return ""
        if set(self.seats) == {self.best.number + 1}:
            return f"The committee is {len(self.members)} networks of it with different seeds."
        listed = ", ".join(f"{votes} of recipe {number}" for number, votes in self.seats.items())
        return (
            f"The committee is {len(self.members)} networks whose average validates best: {listed} "
            f"(the best one is number {self.best.number + 1})."
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for machines."""
        gain = self.gain
        return {
            "metric": self.metric,
            "budget": str(self.budget),
            "seconds": self.seconds,
            "fits": self.fits,
            "recipes": len(self.tried),
            "complete": len(self.complete),
            "base_score": float(np.nanmean(self.base_scores)) if self.base_scores.size else None,
            "best": None
            if self.best is None
            else {
                "score": self.best.mean,
                "recipe": self.best.candidate.differences(self.base),
                "gain": gain and {"estimate": gain.estimate, "low": gain.low, "high": gain.high},
            },
            "ablations": [
                {
                    "ingredient": one.ingredient,
                    "value": one.value,
                    "helps_by": one.help.estimate,
                    "low": one.help.low,
                    "high": one.help.high,
                    "folds": one.folds,
                    "verdict": one.verdict,
                }
                for one in self.ablations
            ],
            "members": self.seats,
            "tried": [
                {
                    "number": one.number,
                    "recipe": one.candidate.label(self.base),
                    "folds": one.folds,
                    "score": one.mean,
                }
                for one in self.tried
            ],
            "sentences": list(self.sentences),
        }


def abs_interval(one: Ablation) -> Interval:
    """How much an ingredient helps, or hurts, as a positive number."""
    return one.help if one.help.estimate >= 0 else -one.help
