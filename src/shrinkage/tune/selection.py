"""Which λ to choose: the rules, and the points that may be chosen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from shrinkage.errors import ShrinkageError, require_known
from shrinkage.intervals import decimals
from shrinkage.penalties import Penalty
from shrinkage.scores import (
    CLASSIFICATION,
    LABELS,
    PathPoint,
    default_metric,
    greater_is_better,
    path,
)
from shrinkage.study import Study
from shrinkage.tune.planning import RULES


@dataclass(frozen=True, eq=False)
class Selection:
    """One choice from the λ path.

    Parameters
    ----------
    rule : str
        ``"minimum"`` or ``"one_standard_error"``.
    metric : str
        What the rule looked at.
    point : PathPoint
        The choice; its penalty is None when no penalty is best.
    baseline : PathPoint or None
        No penalty.
    runner_up : Penalty or None
        The penalty with the best point, also when no penalty is better still.
    points : tuple of PathPoint
        The whole path.
    """

    rule: str
    metric: str
    point: PathPoint
    baseline: PathPoint | None
    runner_up: Penalty | None
    points: tuple[PathPoint, ...]

    @property
    def sentence(self) -> str:
        """The choice with its numbers."""
        point, baseline = self.point, self.baseline
        unit = "nats" if self.metric in CLASSIFICATION else "target variances"
        name = "log loss" if self.metric in CLASSIFICATION else "mean squared error"
        places = decimals(point.mean_validation)
        label = point.label[:1].upper() + point.label[1:]
        text = (
            f"{label}: validation {name} {point.mean_validation:.{places}f} "
            f"± {point.se_validation:.{places}f} {unit}"
        )
        if baseline is not None and point.penalty is not None:
            text += f" against {baseline.mean_validation:.{places}f} {unit} without a penalty"
        if self.metric not in ("log_loss", "mean_squared_error"):
            text += f", {LABELS[self.metric]} {point.mean_score:.3f}"
        rule = "the best" if self.rule == "minimum" else "the strongest within one of the best"
        folds = f"{point.folds.size} fold" + ("s" if point.folds.size > 1 else "")
        text += f" (mean ± standard error over {folds}; {rule})"
        if point.sparsity >= 0.005:
            text += f"; {point.sparsity:.0%} of the hidden weights are exactly zero"
        return f"{text}."


def select(study: Study, rule: str = "minimum", metric: str | None = None) -> Selection:
    """Choose penalty and λ.

    Parameters
    ----------
    study : Study
        Points that were fitted on fewer folds than others have no say.
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
    """
    require_known("selection rule", rule, RULES)
    metric = metric or default_metric(study.data.task)
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
        within = badness(best, metric) + best.se_score
        of_kind = [point for point in penalized if point.penalty == (best.penalty or runner_up)]
        chosen = max(
            [best, *(point for point in of_kind if badness(point, metric) <= within)],
            key=lambda point: point.lam,
        )
    baseline = next((point for point in points if point.penalty is None), None)
    return Selection(rule, metric, chosen, baseline, runner_up, points)


def candidates(study: Study, metric: str | None = None) -> list[PathPoint]:
    """The points that a choice may be made from, all on the same folds, so that they are paired.

    Points planned on fewer folds than others (the bracket's) and points that diverged have no say.
    After an interruption the folds are those that every point has finished.
    """
    planned: dict[tuple[Penalty | None, float], set[int]] = defaultdict(set)
    missing: set[int] = set()
    for trial in study.trials:
        if trial.fold is not None:
            planned[trial.penalty, trial.lam].add(trial.fold)
    most = max((len(folds) for folds in planned.values()), default=0)
    full = {point for point, folds in planned.items() if len(folds) == most}
    for trial in study.missing:
        if trial.fold is not None and (trial.penalty, trial.lam) in full:
            missing.add(trial.fold)
    finished = set(range(len(study.data.parts))) - missing
    points = path(study, metric, folds=finished or None)
    known = [
        point
        for point in points
        if (point.penalty, point.lam) in full and np.isfinite(point.mean_score)
    ]
    largest = max((point.folds.size for point in known), default=0)
    return [point for point in known if point.folds.size == largest]


def badness(point: PathPoint, metric: str) -> float:
    """The score with its sign such that less is better."""
    return -point.mean_score if greater_is_better(metric) else point.mean_score
