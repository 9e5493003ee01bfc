"""The λ path: what to try, where to look for λ, and which λ to choose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from math import ceil, log10
from typing import Any, Literal

import numpy as np

from shrinkage.data import Data
from shrinkage.detect.gains import constant_loss
from shrinkage.engine.pool import train
from shrinkage.errors import SettingError, ShrinkageError, require_known
from shrinkage.network import Network
from shrinkage.penalties import L1, L2, ElasticNet, Penalty
from shrinkage.scores import PathPoint, check_metric, default_metric, greater_is_better, path
from shrinkage.study import Fit, Study, Trial
from shrinkage.training import Training

Rule = Literal["minimum", "one_standard_error"]

RULES = ("minimum", "one_standard_error")
LOWEST, HIGHEST = -8, 4
"""Powers of ten between which λ is looked for."""
_NO_EFFECT, _CONSTANT = 0.98, 0.02
"""Shares of what the unpenalized network learns: above the first a penalty has almost no effect,
below the second the network predicts a constant."""
_STUCK = 0.01
"""A power of ten that changes the share learned by less than this ends the bracket."""
_REFINEMENTS = 2
_FINEST = 0.25
"""Rounds of halving the distance to the neighbours of the best λ; powers of ten to stop at."""
_STEPS = 3_000
_BATCHES = (
    (2_000, 32),
    (8_000, 64),
    (20_000, 128),
    (60_000, 256),
    (200_000, 512),
    (float("inf"), 1024),
)
"""Training rows of a fold up to which a batch size is used."""


@dataclass(frozen=True)
class Plan:
    """What is to be tried.

    Parameters
    ----------
    network : Network
        With the inputs of the full training part; folds whose encoding differs get their own.
    training : Training
        The same for every trial.
    penalties : tuple of Penalty
        Each gets its own path.
    lambdas : tuple of float or None, default None
        The path; None finds the bracket by itself and refines near the optimum.
    points : int, default 8
        Most λ of the automatic path before refinement.
    metric : str, default "log_loss"
        What is best; see :data:`shrinkage.scores.METRICS`.
    rule : str, default "minimum"
        Which selection is recommended and verified: ``"minimum"`` or ``"one_standard_error"``.
    refits : int, default 3
        Seeds on every training row, without and with the selected penalty.
    seed : int, default 0
        Of everything random in training.

    Raises
    ------
    SettingError
        On a λ that is negative or not finite, an unknown rule, or nothing to try.
    """

    network: Network
    training: Training
    penalties: tuple[Penalty, ...] = (L1(), L2(), ElasticNet())
    lambdas: tuple[float, ...] | None = None
    points: int = 8
    metric: str = "log_loss"
    rule: str = "minimum"
    refits: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        require_known("selection rule", self.rule, RULES)
        if not self.penalties:
            raise SettingError(
                "there is no penalty to try; name at least one of l1, l2, elastic_net"
            )
        if self.lambdas is not None and not self.lambdas:
            raise SettingError("the list of λ is empty; give numbers such as 0.001,0.01,0.1")
        for lam in self.lambdas or ():
            if not 0 <= lam < float("inf"):
                raise SettingError(f"λ is {lam}; it must be a finite number, 0 or larger")
        if self.refits < 1:
            raise SettingError(f"refits is {self.refits}; at least 1 is needed to verify anything")
        if self.points < 2:
            raise SettingError(f"points is {self.points}; a path needs at least 2 values of λ")
        if not 0 <= self.seed < 2**32:
            raise SettingError(f"seed is {self.seed}; it must lie in [0, 2³²)")


def default_training(data: Data, **settings: Any) -> Training:
    """A training for a table of this size, so that a whole path takes about a minute.

    Batches grow with the rows, from 32 to 1,024, so that a step is never small against its
    overhead; epochs fall from 300 as the rows grow, so that a fit takes about 3,000 steps: enough
    for a network of two layers of 128 to overfit, if it is going to.

    Parameters
    ----------
    data : Data
        Rows and task decide.
    **settings
        Fields of :class:`Training` that the user chose; they win.

    Returns
    -------
    Training
        With the loss of the task.
    """
    if settings.get("class_weight") == "balanced" and data.task == "regression":
        raise SettingError("balanced class weights need classes, but the target is a number")
    rows = data.parts[0].train.size if data.parts else data.full.train.size
    batch = next(size for most, size in _BATCHES if rows <= most)
    batch = int(settings.get("batch_size") or batch)
    steps = ceil(rows / batch)
    chosen: dict[str, Any] = {
        "loss": data.loss,
        "batch_size": batch,
        "epochs": int(np.clip(round(_STEPS / steps), 10, 300)),
        "learning_rate": 0.01 if settings.get("optimizer") == "sgd" else 0.005,
    }
    return Training(
        **(chosen | {name: value for name, value in settings.items() if value is not None})
    )


def plan(
    data: Data,
    *,
    network: Network | None = None,
    training: Training | None = None,
    metric: str | None = None,
    **settings: Any,
) -> Plan:
    """A plan for a table; what is not given follows from its size.

    Parameters
    ----------
    data : Data
        What it is for.
    network : Network, optional
        By default two hidden layers of 128.
    training : Training, optional
        By default :func:`default_training`.
    metric : str, optional
        By default the loss of the task.
    **settings
        Other fields of :class:`Plan`.

    Raises
    ------
    SettingError
        On a metric that does not fit the task, or any field that :class:`Plan` refuses.
    """
    metric = metric or default_metric(data.task)
    check_metric(metric, data.task)
    points = 8 if data.full.train.size <= 20_000 else 6
    return Plan(
        network=network or Network(data.full.n_inputs, outputs=data.n_outputs),
        training=training or default_training(data),
        metric=metric,
        **({"points": points} | settings),
    )


class Search:
    """A run of a plan: iterate over it to train; :attr:`study` is what is finished so far.

    Four stages follow each other, each planned from the fits of those before it: the bracket (one
    fold, powers of ten), the path on every fold, the refinement near each penalty's optimum, and
    the refits on every training row. Iteration may be given up at any time.

    Parameters
    ----------
    data : Data
        What to train on.
    plan : Plan
        What to try.
    threads : int, optional
        See :func:`shrinkage.engine.pool.train`.
    executor : concurrent.futures.Executor, optional
        The same.
    """

    def __init__(
        self,
        data: Data,
        plan: Plan,
        *,
        threads: int | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.data = data
        self.plan = plan
        self.stage = "bracket" if plan.lambdas is None else "path"
        self._threads = threads
        self._executor = executor
        self._trials: dict[Trial, None] = {}
        self._fits: dict[Trial, Fit] = {}

    @property
    def study(self) -> Study:
        """Everything finished so far, in the order it was planned."""
        return Study.of(self.data, self._trials, self._fits.values(), versions())

    @property
    def expected(self) -> int:
        """Fits that the whole search will take: those planned, and a guess for later stages."""
        plan, folds = self.plan, len(self.data.parts)
        kinds = len(plan.penalties)
        values = len(set(plan.lambdas) - {0.0}) if plan.lambdas is not None else plan.points
        guess = {"refits": 0, "refine": 0, "path": 0, "bracket": 0}
        refits = 2 * plan.refits + values
        if self.stage != "refits":
            guess["refits"] = refits
        if self.stage in ("bracket", "path") and plan.lambdas is None:
            guess["refine"] = kinds * 3 * folds
        if self.stage == "bracket":
            guess["path"] = folds + kinds * plan.points * (folds - 1)
        return len(self._trials) + sum(guess.values())

    def __iter__(self) -> Iterator[Fit]:
        """Train stage after stage, yielding each fit as it finishes."""
        if self.plan.lambdas is None:
            yield from self._bracket()
            self.stage = "path"
            yield from self._on_all_folds(self._grids())
            self.stage = "refine"
            for _ in range(_REFINEMENTS):
                yield from self._on_all_folds(self._refinements())
        else:
            lambdas = sorted(set(self.plan.lambdas) - {0.0})
            yield from self._on_all_folds(dict.fromkeys(self.plan.penalties, lambdas))
        self.stage = "refits"
        yield from self._run(self._refits())

    def _run(self, trials: Iterable[Trial]) -> Iterator[Fit]:
        """Train those trials that are new."""
        new = [trial for trial in dict.fromkeys(trials) if trial not in self._trials]
        self._trials.update(dict.fromkeys(new))
        for fit in train(new, self.data, threads=self._threads, executor=self._executor):
            self._fits[fit.trial] = fit
            yield fit

    def _trial(self, penalty: Penalty | None, lam: float, fold: int | None, draw: int = 0) -> Trial:
        part = self.data.part(fold)
        # Every penalty and λ starts a fold from the same weights and order of rows: paired.
        place = draw if fold is None else 1_000_000 + fold
        seed = int(np.random.SeedSequence((self.plan.seed, place)).generate_state(1)[0])
        network = replace(self.plan.network, inputs=part.n_inputs)
        return Trial(network, self.plan.training, penalty, lam, fold, seed)

    def _bracket(self) -> Iterator[Fit]:
        """Powers of ten on the first fold, further out until both ends are reached."""
        yield from self._run([self._trial(None, 0.0, 0)])
        exponents = {penalty: list(range(-5, 2)) for penalty in self.plan.penalties}
        while any(exponents.values()):
            yield from self._run(
                self._trial(penalty, power(exponent), 0)
                for penalty, tried in exponents.items()
                for exponent in tried
            )
            exponents = {penalty: self._further(penalty) for penalty in self.plan.penalties}

    def _learned(self, penalty: Penalty) -> dict[int, float]:
        """Exponent of λ → share of what the unpenalized network learned on the first fold."""
        null = constant_loss(self.data, self.plan.training)
        free = self._fits[self._trial(None, 0.0, 0)].final_train_loss
        possible = null - free
        if not np.isfinite(possible) or possible <= 1e-3 * null:
            return {}
        return {
            round(log10(trial.lam)): (null - fit.final_train_loss) / possible
            for trial, fit in self._fits.items()
            if trial.penalty == penalty and trial.fold == 0 and fit.ok
        }

    def _further(self, penalty: Penalty) -> list[int]:
        """The next exponents to try beyond an end that is not reached yet."""
        learned = self._learned(penalty)
        if not learned:
            return []
        low, high = min(learned), max(learned)
        further = []
        if learned[low] < _NO_EFFECT and low > LOWEST:
            further.append(low - 1)
        # A short training cannot carry the weights further, however large λ is.
        stuck = abs(learned[high] - learned.get(high - 1, np.inf)) < _STUCK
        if learned[high] > _CONSTANT and high < HIGHEST and not stuck:
            further.append(high + 1)
        return further

    def _grids(self) -> dict[Penalty, list[float]]:
        """For each penalty, λ from almost no effect up to a constant prediction."""
        grids = {}
        for penalty in self.plan.penalties:
            learned = self._learned(penalty) or dict.fromkeys(range(-5, 2), 0.5)
            without = [exponent for exponent, share in learned.items() if share >= _NO_EFFECT]
            constant = [exponent for exponent, share in learned.items() if share <= _CONSTANT]
            low = max(
                (e for e in without if not constant or e < min(constant)), default=min(learned)
            )
            high = min((e for e in constant if e > low), default=max(learned))
            high = max(high, low + 1)
            # A lattice of halves (or whole powers) of ten keeps λ readable and reuses the bracket.
            per_power = 2 if 2 * (high - low) + 1 <= self.plan.points else 1
            grids[penalty] = [
                power(step / per_power) for step in range(low * per_power, high * per_power + 1)
            ]
        return grids

    def _refinements(self) -> dict[Penalty, list[float]]:
        """For each penalty, λ between its best one and the neighbours."""
        complete = candidates(self.study, self.plan.metric)
        refined: dict[Penalty, list[float]] = {}
        for penalty in self.plan.penalties:
            own = [point for point in complete if point.penalty == penalty]
            if len(own) < 2:
                continue
            exponents = [log10(point.lam) for point in own]
            best = own.index(min(own, key=lambda point: _badness(point, self.plan.metric)))
            around = exponents[max(best - 1, 0) : best + 2]
            refined[penalty] = [
                power((a + b) / 2) for a, b in pairwise(around) if b - a > 1.1 * _FINEST
            ]
        return refined

    def _on_all_folds(self, grids: dict[Penalty, list[float]]) -> Iterator[Fit]:
        """Fold by fold, so that an interruption leaves complete paths on some folds."""
        return self._run(
            self._trial(penalty, lam, fold)
            for fold in range(len(self.data.parts))
            for penalty, lam in [(None, 0.0), *_pairs(grids)]
        )

    def _refits(self) -> list[Trial]:
        """No penalty and the choice with every seed; the path of its penalty with the first."""
        study = self.study
        choice = select(study, self.plan.rule, self.plan.metric)
        shown = choice.point.penalty or choice.runner_up
        along = [
            point for point in candidates(study, self.plan.metric) if point.penalty in (None, shown)
        ]
        trials = [
            self._trial(penalty, lam, None, draw)
            for draw in range(self.plan.refits)
            for penalty, lam in ((None, 0.0), (choice.point.penalty, choice.point.lam))
        ]
        return trials + [self._trial(point.penalty, point.lam, None) for point in along]


def power(exponent: float) -> float:
    """10**exponent, rounded to three digits so that it reads and compares well."""
    return float(f"{10.0**exponent:.3g}")


def _pairs(grids: dict[Penalty, list[float]]) -> list[tuple[Penalty, float]]:
    return [(penalty, lam) for penalty, lambdas in grids.items() for lam in lambdas]


@cache
def _version(package: str) -> str:
    return version(package)


def versions() -> dict[str, str]:
    """Versions of the packages that decide the numbers."""
    packages = ("shrinkage", "numpy", "numba", "scikit-learn", "skrub")
    return {package: _version(package) for package in packages}


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


def _badness(point: PathPoint, metric: str) -> float:
    return -point.mean_score if greater_is_better(metric) else point.mean_score


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
        rule = (
            "least"
            if self.rule == "minimum"
            else "strongest penalty within one standard error of the least"
        )
        loss = f"{self.point.mean_validation:.4g} ± {self.point.se_validation:.2g}"
        text = f"{self.point.label[:1].upper()}{self.point.label[1:]}: validation loss {loss}"
        if self.baseline is not None and self.point.penalty is not None:
            text += f" against {self.baseline.mean_validation:.4g} without a penalty"
        zeros = (
            f"; {self.point.sparsity:.0%} of the hidden weights are exactly zero"
            if self.point.sparsity
            else ""
        )
        return f"{text} ({rule}, {self.point.folds.size} folds){zeros}."


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
    best = min(choices, key=lambda point: _badness(point, metric))
    penalized = [point for point in choices if point.penalty is not None]
    runner_up = (
        min(penalized, key=lambda point: _badness(point, metric)).penalty if penalized else None
    )
    chosen = best
    if rule == "one_standard_error":
        within = _badness(best, metric) + best.se_score
        of_kind = [point for point in penalized if point.penalty == (best.penalty or runner_up)]
        chosen = max(
            [best, *(point for point in of_kind if _badness(point, metric) <= within)],
            key=lambda point: point.lam,
        )
    baseline = next((point for point in points if point.penalty is None), None)
    return Selection(rule, metric, chosen, baseline, runner_up, points)
