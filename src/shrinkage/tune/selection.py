"""Which λ to choose: the rules, and the points that may be chosen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shrinkage.errors import ShrinkageError, require_known
from shrinkage.intervals import decimals
from shrinkage.penalties import Penalty
from shrinkage.scores import (
    NAMES,
    PathPoint,
    default_metric,
    greater_is_better,
    path,
    unit,
    usable,
)
from shrinkage.study import Study
from shrinkage.tune.planning import RULES

Point = tuple[Penalty | None, float]
_FREE: Point = (None, 0.0)


@dataclass(frozen=True, eq=False)
class Selection:
    """One choice from the λ path.

    Parameters
    ----------
    study : Study
        What was chosen from.
    rule : str
        ``"minimum"`` or ``"one_standard_error"``.
    metric : str
        What the rule looked at.
    point : PathPoint
        The choice; its penalty is None when no penalty is best.
    baseline : PathPoint or None
        No penalty, on the same folds as `point`; None when it has no good fit on these.
    runner_up : Penalty or None
        The penalty with the best point, also when no penalty is better still.
    points : tuple of PathPoint
        The whole path, each point on all the folds that it has.
    """

    study: Study
    rule: str
    metric: str
    point: PathPoint
    baseline: PathPoint | None
    runner_up: Penalty | None
    points: tuple[PathPoint, ...]

    @property
    def sentence(self) -> str:
        """The choice with its numbers."""
        label = self.point.label[:1].upper() + self.point.label[1:]
        text = f"{label}: validation {self.numbers} ({self.basis}; {self._rank()})"
        if self.point.sparsity >= 0.005:
            hidden = "hidden " if self.study.trials[0].network.hidden else ""
            text += f"; {self.point.sparsity:.0%} of the {hidden}weights are exactly zero"
        return f"{text}."

    @property
    def title(self) -> str:
        """What distinguishes the choice: ``"Least validation log loss"``."""
        if self.rule == "one_standard_error":
            return "Strongest penalty within one standard error of the best"
        most = "Greatest" if greater_is_better(self.metric) else "Least"
        return f"{most} validation {NAMES[self.metric]}"

    @property
    def numbers(self) -> str:
        """The metric and then the loss, each against that without a penalty on the same folds."""
        loss = default_metric(self.study.data.task)
        parts = [self._measured(self.metric)]
        if self.metric != loss:
            parts.append(self._measured(loss))
        return ", ".join(parts)

    @property
    def basis(self) -> str:
        """What the numbers are: ``"mean ± standard error over 5 folds"``."""
        folds = self.point.folds.size
        if folds == 1:
            return "1 fold, so without a standard error"
        return f"mean ± standard error over {folds} folds"

    def _measured(self, metric: str) -> str:
        point, baseline = self.point, self.baseline
        is_loss = metric == default_metric(self.study.data.task)
        data = self.study.data
        suffix = f" {unit(metric, data)}" if unit(metric, data) else ""

        def value(of: PathPoint) -> float:
            return of.mean_validation if is_loss else of.mean_score

        error = point.se_validation if is_loss else point.se_score
        compared = baseline is not None and point.penalty is not None
        shown = [value(point)] + ([value(baseline)] if compared and baseline else [])
        places = decimals(*shown)
        spread = f" ± {error:.{places}f}" if point.folds.size > 1 else ""
        text = f"{NAMES[metric]} {shown[0]:.{places}f}{spread}{suffix}"
        if compared:
            text += f" against {shown[1]:.{places}f}{suffix} without a penalty"
        return text

    def _rank(self) -> str:
        """What the choice is among the points that it was compared with."""
        if not any(point.penalty for point in self.points):
            return "no penalty was tried"
        if self.runner_up is None:
            return "no fit with a penalty finished on these folds"
        best = "the best" if self.baseline is not None else "the best with a penalty"
        if self.point.folds.size == 1:
            best += " on that fold"
        rank = (
            best if self.rule == "minimum" else f"the strongest within one standard error of {best}"
        )
        if self.baseline is None:
            rank += "; no fit without a penalty finished on these folds"
        return rank


def select(study: Study, rule: str = "minimum", metric: str | None = None) -> Selection:
    """Choose penalty and λ.

    Parameters
    ----------
    study : Study
        Only its :func:`candidates` have a say, all on the same folds.
    rule : str, default "minimum"
        ``"minimum"``: the best mean score. ``"one_standard_error"``: the largest λ of the same
        penalty whose mean is within one standard error of that.
    metric : str, optional
        The loss by default.

    Returns
    -------
    Selection
        No penalty is one of the candidates.

    Raises
    ------
    SettingError
        On an unknown rule or metric.
    ShrinkageError
        When no fit finished.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), "Classification and Regression Trees", section 3.4.3.

    Examples
    --------
    >>> from shrinkage import L2, Network
    >>> from shrinkage.data import bundled, prepare
    >>> from shrinkage.tune import Search, plan
    >>> data = prepare(*bundled("moons", 200), folds=3, repeats=1)
    >>> small = plan(data, network=Network(2, (8,)), penalties=(L2(),), lambdas=(10.0,), refits=1)
    >>> search = Search(data, small)
    >>> fits = list(search)
    >>> select(search.study).point.label
    'no penalty'
    """
    require_known("selection rule", rule, RULES)
    metric = metric or default_metric(study.data.task)
    study = study.principal
    points = path(study, metric)
    choices = candidates(study, metric)
    if not choices:
        if any(point.folds.size for point in points):
            raise ShrinkageError(
                f"{metric} is not defined on the validation rows of any fold; choose another metric"
            )
        raise ShrinkageError("no fit on any fold finished, so there is nothing to choose from")
    best = min(choices, key=lambda point: badness(point, metric))
    penalized = [point for point in choices if point.penalty is not None]
    runner_up = (
        min(penalized, key=lambda point: badness(point, metric)).penalty if penalized else None
    )
    chosen = best
    if rule == "one_standard_error":
        kind = best.penalty or runner_up
        chosen = strongest(best, (point for point in penalized if point.penalty == kind), metric)
    baseline = next((point for point in choices if point.penalty is None), None)
    return Selection(study, rule, metric, chosen, baseline, runner_up, points)


def strongest(best: PathPoint, points: Iterable[PathPoint], metric: str) -> PathPoint:
    """The largest λ among `points` whose score is within one standard error of `best`'s."""
    within = badness(best, metric) + best.se_score
    return max(
        [best, *(point for point in points if badness(point, metric) <= within)],
        key=lambda point: point.lam,
    )


def candidates(study: Study, metric: str | None = None) -> list[PathPoint]:
    """The points that a choice may be made from, all on the same folds, so that they are paired.

    The folds are those that all points of the path have finished. Points that were planned on
    fewer folds than others (the bracket's), refinements that an interruption left unfinished, and
    penalties that diverged on one of these folds have no say. Where no penalty diverged, the fold
    is left out for all, because a choice without that comparison says little.

    Parameters
    ----------
    study : Study
        May be incomplete.
    metric : str, optional
        What the points' scores hold; the loss by default.

    Returns
    -------
    list of PathPoint
        In the order of :func:`shrinkage.scores.path`; empty when nothing finished.
    """
    study = study.principal
    full, grid = _planned(study)
    folds = _common_folds(study, full, grid)
    return [
        point
        for point in path(study, metric, folds=folds)
        if (point.penalty, point.lam) in full
        and point.folds.size == len(folds) > 0
        and np.isfinite(point.mean_score)
    ]


def _planned(study: Study) -> tuple[dict[Point, set[int]], set[Point]]:
    """Points planned on the most folds, and those of them that were not added by a refinement."""
    planned: dict[Point, set[int]] = defaultdict(set)
    first: dict[Point, int] = {}
    last_free = len(study.trials)
    for place, trial in enumerate(study.trials):
        if trial.fold is not None:
            point = (trial.penalty, trial.lam)
            planned[point].add(trial.fold)
            first.setdefault(point, place)
            if point == _FREE:
                last_free = place
    sets = Counter(frozenset(folds) for folds in planned.values())
    widest = max(sets, key=lambda folds: (len(folds), sets[folds]), default=frozenset[int]())
    full = {point: folds for point, folds in planned.items() if folds == widest}
    # A path is planned fold by fold, each beginning with no penalty; refinements come after it.
    several = len(widest) > 1 and _FREE in full
    grid = {point for point in full if first[point] <= last_free or not several}
    return full, grid


def _common_folds(study: Study, full: dict[Point, set[int]], grid: set[Point]) -> set[int]:
    """The folds to compare on."""
    good: dict[Point, set[int]] = defaultdict(set)
    failed: set[int] = set()
    for fit in study.fold_fits:
        point, fold = (fit.trial.penalty, fit.trial.lam), fit.trial.fold
        if usable(fit) and fold is not None and point in grid:
            good[point].add(fold)
        elif point == _FREE and fold is not None:
            failed.add(fold)
    failed -= good[_FREE]
    waiting = {trial.fold for trial in study.missing if (trial.penalty, trial.lam) in grid}
    folds = set().union(*full.values()) - waiting
    folds = (folds - failed) or folds
    # What has to be there: a penalty, if any finished; else whatever finished.
    wanted = [have for point, have in good.items() if point[0] and have] or list(good.values())
    if folds and any(folds <= have for have in wanted):
        return folds
    # No fold is common to all: one that most points have, and what else all of these have.
    seen = Counter(fold for have in good.values() for fold in have)
    if not seen:
        return set()
    folds = {fold for fold, times in seen.items() if times == max(seen.values())}
    chosen = min(folds & good[_FREE] or folds)
    return folds.intersection(*(have for have in good.values() if chosen in have))


def badness(point: PathPoint, metric: str) -> float:
    """The score with its sign such that less is better."""
    return -point.mean_score if greater_is_better(metric) else point.mean_score
