"""The search along λ: bracket, path, refinement, refits and relaxed refits, batches of trials."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from math import log10
from typing import Any

import numpy as np

from shrinkage.data import Data
from shrinkage.detect.gains import constant_loss
from shrinkage.engine.limits import stands
from shrinkage.engine.pool import train
from shrinkage.errors import ShrinkageError
from shrinkage.penalties import Penalty
from shrinkage.scores import PathPoint
from shrinkage.study import Fit, Status, Study, Trial
from shrinkage.tune.planning import USUAL, Plan
from shrinkage.tune.selection import badness, candidates, select

LOWEST, HIGHEST = -8, 4
"""Powers of ten between which λ is looked for."""
_NO_EFFECT, _CONSTANT = 0.98, 0.02
"""Shares of what the unpenalized network learns: above the first a penalty has almost no effect,
below the second the network predicts a constant."""
_STUCK = 0.01
"""A power of ten that changes the share learned by less than this ends the bracket."""
_FINEST, _FINEST_OF_INPUTS = 0.25, 0.125
"""Powers of ten between two λ at which a refinement stops: fewer where inputs are selected, since a
network loses the last noisy ones and the first that matter at strengths that are close."""


class Search:
    """A run of a plan: iterate over it to train; :attr:`study` is what is finished so far.

    Stages follow each other, each planned from the fits of those before it: the bracket (one fold,
    powers of ten, if the plan wants one), the path on every fold, the refinement near each
    penalty's optimum, the refits on every training row, and, where the selected penalty leaves
    exact zeros, its relaxed refits: on every fold and every training row, the weights that survive
    trained once more without it.
    Iteration may be given up at any time; iterating again goes on where it stopped.

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
    limit : float, optional
        Seconds that one training may take, see there.
    done : mapping of Trial to Fit, optional
        Fits from before, of this plan or another: what of them is planned is not trained again,
        and not yielded. One that ran out of time is trained again where it may take longer now,
        and one that was lost with its worker always.
    """

    def __init__(
        self,
        data: Data,
        plan: Plan,
        *,
        threads: int | None = None,
        executor: Executor | None = None,
        limit: float | None = None,
        done: Mapping[Trial, Fit] | None = None,
    ) -> None:
        self.data = data
        self.plan = plan
        self.stage = "bracket" if plan.lambdas is None and plan.bracket else "path"
        self._how: dict[str, Any] = {"threads": threads, "executor": executor, "limit": limit}
        self._trials: dict[Trial, None] = {}
        self._fits: dict[Trial, Fit] = {}
        self._batches: list[tuple[str, list[Trial]]] = []
        self._relaxed: list[Trial] = []
        self._done = {t: fit for t, fit in (done or {}).items() if stands(fit, limit)}
        self._reused = 0

    @property
    def planned(self) -> Collection[Trial]:
        """Trials planned so far, in order."""
        return self._trials.keys()

    @property
    def before(self) -> int:
        """Fits that were there before this search and stand, whether it asks for them or not."""
        return len(self._done)

    @property
    def study(self) -> Study:
        """Everything finished so far, in the order it was planned."""
        return Study.of(self.data, self._trials, self._fits.values(), versions())

    @property
    def expected(self) -> int:
        """Fits that are to be trained in all: those planned, and a guess for later stages."""
        return self._foreseen - self._reused

    @property
    def _foreseen(self) -> int:
        """Fits of the whole search, those from before included."""
        plan, folds = self.plan, len(self.data.parts)
        kinds = len(plan.penalties)
        values = len(set(plan.lambdas) - {0.0}) if plan.lambdas is not None else plan.points
        guess = 0
        if self.stage in ("refits", "relax"):
            return len(self._trials) + (len(self._relaxed) if self.stage == "refits" else 0)
        relaxes = plan.relax and plan.training.relaxed_epochs == 0
        if values and relaxes and any(map(_zeroes, plan.penalties)):
            guess += folds + plan.refits
        # The choice lies on the path, so its first seed is not counted twice.
        guess += plan.refits * (2 if values else 1) + max(values - 1, 0) * plan.along
        if self.stage in ("bracket", "path") and plan.lambdas is None:
            guess += kinds * plan.refinements * folds
        if self.stage == "bracket":
            guess += folds + kinds * plan.points * (folds - 1)
        if self.stage == "path" and not self._trials:
            guess += folds * (1 + kinds * values)
        return len(self._trials) + guess

    def __iter__(self) -> Iterator[Fit]:
        """Train stage after stage, yielding each fit as it finishes."""
        done = 0
        while True:
            if done == len(self._batches):
                following = self._following()
                if following is None:
                    return
                self._batches.append(following)
            # A batch that was given up is planned already: what is left of it comes first.
            self.stage, trials = self._batches[done]
            yield from self._run(trials)
            done += 1

    def _following(self) -> tuple[str, list[Trial]] | None:
        """The next stage and its trials, from the fits of those before; None after the last."""
        stages = [stage for stage, _ in self._batches]
        last = stages[-1] if stages else ""
        if last == "refits":
            return ("relax", self._relaxed) if self._relaxed else None
        if last == "relax":
            return None
        if stages and all(fit.status is Status.OUT_OF_TIME for fit in self._fits.values()):
            raise ShrinkageError(
                f"all {len(self._fits)} fits so far ran out of time; allow more for each, or train "
                "fewer epochs"
            )
        if self.plan.lambdas is not None:
            if last == "path":
                return "refits", self._refits()
            lambdas = sorted(set(self.plan.lambdas) - {0.0})
            return "path", self._on_all_folds(dict.fromkeys(self.plan.penalties, lambdas))
        if last in ("", "bracket"):
            trials = self._bracket(begun=bool(last)) if self.plan.bracket else []
            if trials:
                return "bracket", trials
            grids = self._grids() if self.plan.bracket else self._usual()
            return "path", self._on_all_folds(grids)
        if stages.count("refine") < self.plan.refinements:
            return "refine", self._on_all_folds(self._refinements())
        return "refits", self._refits()

    def _run(self, trials: Iterable[Trial]) -> Iterator[Fit]:
        """Train those trials that have no fit yet."""
        new = [trial for trial in dict.fromkeys(trials) if trial not in self._fits]
        self._trials.update(dict.fromkeys(new))
        before = {trial: self._done[trial] for trial in new if trial in self._done}
        self._fits.update(before)
        self._reused += len(before)
        new = [trial for trial in new if trial not in before]
        for fit in train(new, self.data, **self._how):
            # Of a fold only losses and outputs are looked at again, of a refit the weights too.
            self._fits[fit.trial] = fit if fit.trial.fold is None else fit.forget()
            yield fit

    def _trial(self, penalty: Penalty | None, lam: float, fold: int | None, draw: int = 0) -> Trial:
        part = self.data.part(fold)
        # Every penalty and λ starts a fold from the same weights and order of rows: paired.
        place = draw if fold is None else 1_000_000 + fold
        seed = int(np.random.SeedSequence((self.plan.seed, place)).generate_state(1)[0])
        network = self.plan.network.taking(part.n_inputs)
        return Trial(network, self.plan.training, penalty, lam, fold, seed)

    def _bracket(self, *, begun: bool) -> list[Trial]:
        """Powers of ten on the first fold, further out until both ends are reached."""
        exponents = {
            penalty: self._further(penalty) if begun else list(range(-5, 2))
            for penalty in self.plan.penalties
        }
        free = [] if begun else [self._trial(None, 0.0, 0)]
        return free + [
            self._trial(penalty, power(exponent), 0)
            for penalty, further in exponents.items()
            for exponent in further
        ]

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
        # One that diverged is not learned from, and need not be tried again.
        return [e for e in further if self._trial(penalty, power(e), 0) not in self._fits]

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

    def _usual(self) -> dict[Penalty, list[float]]:
        """For each penalty the λ of an automatic path without a bracket."""
        exponents = np.linspace(*USUAL, self.plan.points)
        return {
            penalty: [power(exponent) for exponent in exponents] for penalty in self.plan.penalties
        }

    def _refinements(self) -> dict[Penalty, list[float]]:
        """For each penalty, λ between its best one and the neighbours."""
        complete = candidates(self.study, self.plan.metric)
        refined: dict[Penalty, list[float]] = {}
        for penalty in self.plan.penalties:
            own = [point for point in complete if point.penalty == penalty]
            if len(own) < 2:
                continue
            exponents = [log10(point.lam) for point in own]
            best = own.index(min(own, key=lambda point: badness(point, self.plan.metric)))
            around = exponents[max(best - 1, 0) : best + 2]
            finest = _FINEST_OF_INPUTS if penalty.groups == "inputs" else _FINEST
            refined[penalty] = [
                power((a + b) / 2) for a, b in pairwise(around) if b - a > 1.1 * finest
            ] + ([] if self.plan.bracket else _beyond(exponents, best))
        return refined

    def _on_all_folds(self, grids: dict[Penalty, list[float]]) -> list[Trial]:
        """Fold by fold, so that an interruption leaves complete paths on some folds."""
        return [
            self._trial(penalty, lam, fold)
            for fold in range(len(self.data.parts))
            for penalty, lam in [(None, 0.0), *_pairs(grids)]
        ]

    def _refits(self) -> list[Trial]:
        """No penalty and the choice with every seed; the path of its penalty with the first."""
        study = self.study
        choice = select(study, self.plan.rule, self.plan.metric)
        shown = choice.point.penalty or choice.runner_up
        along = [
            point
            for point in candidates(study, self.plan.metric)
            if self.plan.along and point.penalty in (None, shown)
        ]
        self._relaxed = self._relax(choice.point)
        trials = [
            self._trial(penalty, lam, None, draw)
            for draw in range(self.plan.refits)
            for penalty, lam in ((None, 0.0), (choice.point.penalty, choice.point.lam))
        ]
        return trials + [self._trial(point.penalty, point.lam, None) for point in along]

    def _relax(self, point: PathPoint) -> list[Trial]:
        """The choice with a second training of what survives; none where nothing is pruned."""
        training = self.plan.training
        pruned = _zeroes(point.penalty) and 0 < point.sparsity < 1
        if not (pruned and self.plan.relax) or training.relaxed_epochs:
            return []
        relaxed = replace(training, relaxed_epochs=training.epochs)
        places: list[tuple[int | None, int]] = [(f, 0) for f in range(len(self.data.parts))]
        places += [(None, draw) for draw in range(self.plan.refits)]
        return [
            replace(self._trial(point.penalty, point.lam, fold, draw), training=relaxed)
            for fold, draw in places
        ]


def _zeroes(penalty: Penalty | None) -> bool:
    """Whether a penalty makes weights exactly zero."""
    return penalty is not None and (penalty.l1_share > 0 or penalty.groups is not None)


def _beyond(exponents: list[float], best: int) -> list[float]:
    """One more λ on the side of the best exponent where there is none yet."""
    step = exponents[1] - exponents[0] if best == 0 else exponents[-1] - exponents[-2]
    further = {0: exponents[0] - step, len(exponents) - 1: exponents[-1] + step}.get(best)
    return [power(further)] if further is not None and LOWEST <= further <= HIGHEST else []


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
