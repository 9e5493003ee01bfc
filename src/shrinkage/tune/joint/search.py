"""The joint search: candidates from Optuna in batches, halved fold by fold, within a budget."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np

from shrinkage.data import Data
from shrinkage.engine.limits import stands
from shrinkage.engine.pool import available_threads, train, warm_up
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.network import perceptron_of
from shrinkage.study import Fit, Study, Trial
from shrinkage.tune.joint.ablation import WHOLE
from shrinkage.tune.joint.asking import ask
from shrinkage.tune.joint.budget import Budget
from shrinkage.tune.joint.candidate import Candidate
from shrinkage.tune.joint.clock import Clock
from shrinkage.tune.joint.ensemble import choose_members
from shrinkage.tune.joint.entry import Entry
from shrinkage.tune.joint.ledger import Ledger
from shrinkage.tune.joint.outcome import joint_so_far, study_so_far
from shrinkage.tune.joint.record import Joint
from shrinkage.tune.joint.reserve import Reserve
from shrinkage.tune.joint.space import Space
from shrinkage.tune.joint.storage import open_study
from shrinkage.tune.planning import Plan

HALVING = 3
"""Of the candidates that reach 1, 3, 9, … folds, one in so many goes on."""
_ENOUGH_ROWS = 400
"""Validation rows on which a candidate may be given up for doing worse than others."""


class _NothingMore(Exception):
    """What is asked for was not trained before."""


def first_rung(data: Data) -> int:
    """Folds that every candidate sees: as many as make a comparison worth it, up to a third."""
    rows = float(np.mean([part.validation.size for part in data.parts]))
    return int(np.clip(np.ceil(_ENOUGH_ROWS / rows), 1, max(len(data.parts) // HALVING, 1)))


class JointSearch:
    """A joint search under way: iterate to train; :attr:`study` is what is finished so far.

    The network without regularization is trained on every fold first. Then Optuna is asked for
    batches of candidates; each is trained on one fold (or a few, if folds are small), the best
    third of those on more, the best third of these on all. What is left of the budget pays for
    refits of the best candidate on every training row, and for its ablation. Iteration may be given
    up at any time.

    Parameters
    ----------
    data : Data
        What to train on.
    plan : Plan
        Network and training without regularization; metric, penalties, seed and refits.
    budget : Budget, default 60 s
        What all of it may take together.
    space : Space, optional
        What to choose from; made from the plan by default.
    committee : int, default 5
        Refits to be averaged: of the best candidate, and of others where that validates better.
    storage : str, optional
        A journal file that the search goes on from; in memory by default.
    threads, executor, limit
        See :func:`shrinkage.engine.pool.train`.
    done : mapping of Trial to Fit, optional
        Fits from before, such as a study file has: what of them is asked for is not trained again,
        and not yielded. They count against the budget, with the time that they took.
    before : float, default 0.0
        Seconds that the runs took which they are from, as far as that is known.
    seats : int, optional
        Networks of the committee, where an earlier run has settled them; by default the budget
        decides.
    clock : callable, default time.monotonic
        Seconds that a budget in seconds is counted by.

    Raises
    ------
    SettingError
        On a budget of fits that is too small, or a storage that cannot be used.
    """

    def __init__(
        self,
        data: Data,
        plan: Plan,
        *,
        budget: Budget | None = None,
        space: Space | None = None,
        committee: int = 5,
        storage: str | None = None,
        threads: int | None = None,
        executor: Executor | None = None,
        limit: float | None = None,
        done: Mapping[Trial, Fit] | None = None,
        before: float = 0.0,
        seats: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.data = data
        self.plan = plan
        self.budget = budget or Budget(seconds=60.0)
        self.base = Candidate(perceptron_of(plan.network), plan.training)
        classes, rows = data.task != "regression", data.full.train.size
        self.space = space or Space(self.base, plan.penalties, classes, rows)
        self.committee = committee
        self.stage = "baseline"
        self._threads = threads or available_threads()
        self._executor = executor
        self._limit = limit
        self._done = {trial: fit for trial, fit in (done or {}).items() if stands(fit, limit)}
        self._taken_up = 0
        self._settled = seats
        self._recalling = False
        self._clock = Clock(clock, before)
        self._seconds = 0.0
        self._ledger = Ledger(data, self.base, plan.metric, plan.seed, stores=storage is not None)
        self._again: dict[str, dict[int, Fit]] = {}
        self._members: list[Trial] = []
        self._reserve = Reserve(len(data.parts), committee, plan.refits, self._threads)
        if storage is not None and done:
            raise SettingError(
                "a storage and fits from before exclude each other; leave one of them out"
            )
        if committee < 1:
            raise SettingError(f"the committee has {committee} networks; it needs at least 1")
        if self.budget.fits is not None and self.budget.fits < self._reserve.least:
            raise SettingError(
                f"a budget of {self.budget.fits} fits is too small: the network without "
                f"regularization and one recipe on {len(data.parts)} folds and a refit of each "
                f"take {self._reserve.least}; give at least --budget {self._reserve.least}fits"
            )
        about = self._about()
        self._optuna = open_study(
            storage,
            about,
            maximize=self._ledger.sign > 0,
            first_rung=self._rungs[0],
            halving=HALVING,
        )

    # ------------------------------------------------------------------------------ what is found

    @property
    def study(self) -> Study:
        """The base, every complete candidate and the refits; points of their own penalty and λ.

        Of candidates that share penalty and λ the best stands for all, because whoever reads the
        study knows a point by these two.
        """
        return study_so_far(self._ledger, self.plan.refits, self._screened)

    @property
    def best(self) -> Candidate | None:
        """The complete candidate with the best mean score so far."""
        best = self._ledger.leader()
        return None if best is None else best.candidate

    @property
    def joint(self) -> Joint:
        """The record of what was tried and found."""
        return joint_so_far(
            self._ledger,
            self._screened,
            self._again,
            self._members,
            seconds=self._seconds,
            budget=self.budget,
        )

    @property
    def expected(self) -> int:
        """Fits that the whole search will take: as the budget says, or as the pace suggests."""
        if self.budget.fits is not None:
            return max(self.budget.fits - self._taken_up, 0)
        assert self.budget.seconds is not None
        done, own = len(self._ledger.spent) - self._taken_up, self._clock.own
        if not done or own <= 0:
            return self._reserve.least
        return max(done, round(done * max((self.budget.seconds - self._clock.earlier) / own, 1.0)))

    @property
    def before(self) -> int:
        """Fits that were there before this search and stand, whether it asks for them or not."""
        return len(self._done)

    @property
    def planned(self) -> Collection[Trial]:
        """Trials asked for so far, in order."""
        return self._ledger.trials.keys()

    @property
    def seats(self) -> int:
        """Networks of the committee that were settled on so far."""
        return len(self._members)

    @property
    def seconds(self) -> float:
        """Of all of its runs, up to the last fit."""
        return self._seconds

    # ------------------------------------------------------------------------------ what is done

    def __iter__(self) -> Iterator[Fit]:
        """Train stage after stage, yielding each fit as it finishes."""
        if not self._recalling:
            warm_up(self.data, self.base.network, self.plan.training)
            self._clock.start()
        yield from self._baseline()
        self.stage = "joint"
        yield from self._search()
        best = self._ledger.leader()
        if best is None:
            raise ShrinkageError(
                f"no recipe finished on all {len(self._ledger.folds)} folds within {self.budget}; "
                "give a larger --budget"
            )
        self.stage = "refits"
        yield from self._refit(best)
        self.stage = "ablation"
        yield from self._ablate(best)
        if self._taken_up == len(self._ledger.spent):  # earlier runs have trained all of it
            self._clock.go_on()
            self._seconds = self._clock.earlier

    def recall(self) -> None:
        """Take up what was trained before, and train nothing.

        What :attr:`study` and :attr:`joint` say then is what the runs found that trained it.
        """
        self._recalling = True
        with suppress(_NothingMore):
            deque(self, maxlen=0)
        self._clock.go_on()
        self._seconds = self._clock.earlier
        self._recalling = False

    def _baseline(self) -> Iterator[Fit]:
        """Without regularization on every fold; the first fit tells what a fit costs."""
        trials = [self._ledger.trial(self.base, fold) for fold in self._ledger.folds]
        yield from self._run(trials[:1])
        self._check_time(trials[0])
        yield from self._run(trials[1:], self._time_is_up)
        scores = [self._ledger.score_of(trial) for trial in trials if trial in self._ledger.fits]
        if np.isnan(scores).all():
            raise SettingError(
                f"{self.plan.metric} is not defined on the validation rows of any fold; choose "
                "another --metric"
            )

    def _check_time(self, first: Trial) -> None:
        """Refuse a time in which not even one recipe can be compared."""
        if self.budget.seconds is None:
            return
        each = self._ledger.spent[first] + 1e-9
        needed = each * self._reserve.least / self._threads
        if needed > self.budget.seconds:
            raise SettingError(
                f"a budget of {self.budget} is too small: one fit takes about {each:.2g} s, and "
                f"comparing one recipe with no regularization takes {self._reserve.least} of them; "
                f"give at least --budget {max(2 * needed, 1):.0f}s, or fewer --epochs or --folds"
            )

    def _search(self) -> Iterator[Fit]:
        """Batch after batch, until only the refits' and the ablation's share is left."""
        number = 0
        while not self._ledger.entries or not self._search_is_over():
            ledger = self._ledger
            batch = ask(self._optuna, self.space, ledger.seed, number, len(ledger.entries))
            ledger.count += sum(len(entry.scores) for entry in batch)
            ledger.entries += batch
            before = len(self._ledger.spent)
            yield from self._halve(batch, first=number == 0)
            number += 1
            if len(self._ledger.spent) == before and (
                self._recalling or (self.budget.fits is not None and not self._ledger.stores)
            ):
                break  # what is left pays for nothing more
        yield from self._complete_one()

    def _halve(self, batch: list[Entry], *, first: bool) -> Iterator[Fit]:
        """Train a batch on more and more folds, and fewer and fewer of its candidates."""
        alive = [entry for entry in batch if not entry.told]
        # A number of fits is kept to beforehand; only a time has to be watched.
        expired = self._search_is_over if self.budget.fits is None else None
        done = 0
        for until in self._rungs:
            alive = self._affordable(alive, done, until)
            wanted: dict[Trial, list[Entry]] = {}
            for fold in range(done, until):
                for entry in alive:
                    if fold not in entry.scores:
                        wanted.setdefault(self._ledger.trial(entry.candidate, fold), []).append(
                            entry
                        )
            yield from self._scored(wanted, expired)
            if any(len(entry.scores) < until for entry in alive):
                return  # the time is up
            # The best one first: whoever comes first has nobody to be worse than. Of the first
            # batch, which nothing can be compared with, the best third goes on.
            alive.sort(key=lambda entry: self._ledger.rank(entry, until))
            spared = -(-len(alive) // HALVING) if first else 0
            alive = [
                entry
                for place, entry in enumerate(alive)
                if self._goes_on(entry, until, spared=place < spared)
            ]
            done = until

    def _scored(
        self, wanted: dict[Trial, list[Entry]], expired: Callable[[], bool] | None = None
    ) -> Iterator[Fit]:
        """Train, and write down each score as it comes; candidates that are the same share it."""
        try:
            for fit in self._run(wanted, expired):
                self._write_down(fit.trial, wanted[fit.trial])
                yield fit
        finally:
            for trial, entries in wanted.items():  # what was trained before
                if trial in self._ledger.fits:
                    self._write_down(trial, entries)

    def _write_down(self, trial: Trial, entries: list[Entry]) -> None:
        for entry in entries:
            if trial.fold is not None and trial.fold not in entry.scores:
                entry.scores[trial.fold] = self._ledger.score_of(trial)
                if self._ledger.stores:
                    entry.store()

    def _goes_on(self, entry: Entry, folds: int, *, spared: bool) -> bool:
        """Tell Optuna how a candidate did on its folds so far; whether it deserves more of them."""
        mean = entry.mean(folds)
        if not np.isfinite(mean):
            entry.tell(self._optuna, None)
            return False
        if folds == len(self._ledger.folds):
            entry.tell(self._optuna, mean)
            return False
        return entry.report(self._optuna, mean, folds, spared=spared)

    def _affordable(self, alive: list[Entry], done: int, until: int) -> list[Entry]:
        """With a budget of fits: as many of them, the best first, as it still pays for."""
        if self.budget.fits is None:
            return alive
        left = self.budget.fits - self._ledger.count - self._reserved_fits()
        found = []
        for entry in alive:  # sorted by what they are worth so far
            left -= sum(fold not in entry.scores for fold in range(done, until))
            if left < 0:
                break
            found.append(entry)
        return found

    def _complete_one(self) -> Iterator[Fit]:
        """See that the best candidate is complete, and that its fits are there."""
        leader = self._ledger.leader()
        if leader is None:  # the budget ended before any was complete
            most = max(len(entry.scores) for entry in self._ledger.entries)
            furthest = [entry for entry in self._ledger.entries if len(entry.scores) == most]
            best = min(
                furthest, key=lambda entry: self._ledger.rank(entry, len(self._ledger.folds))
            )
            yield from self._scored(
                {self._ledger.trial(best.candidate, fold): [best] for fold in self._ledger.folds}
            )
            return
        yield from self._run(
            [self._ledger.trial(leader.candidate, fold) for fold in self._ledger.folds]
        )
        # Of a stored search only the scores are known, but the committee needs predictions.
        others = [
            self._ledger.trial(entry.candidate, fold)
            for entry in self._ledger.complete
            if not self._ledger.has_fits(entry)
            for fold in self._ledger.folds
        ]
        yield from self._run(others, self._search_is_over if self.budget.fits is None else None)

    def _refit(self, best: Entry) -> Iterator[Fit]:
        """On every training row: the best candidate and the base, then the whole committee."""
        count = self._settled or self._reserve.refits(self.budget, self._cost(best))
        self._members = self._choose_members(best, count)
        pairs = [
            self._ledger.trial(candidate, None, draw)
            for draw in range(min(self.plan.refits, count))
            for candidate in (best.candidate, self.base)
        ]
        # One network of each is the least that can be verified, whatever the time.
        yield from self._run(pairs[:2])
        rest = [
            trial
            for trial in dict.fromkeys([*self._members, *pairs[2:]])
            if trial not in self._ledger.fits
        ]
        if self.budget.fits is not None:
            rest = rest[: max(self.budget.fits - self._ledger.count, 0)]
        yield from self._run(rest, self._time_is_up)

    def _choose_members(self, best: Entry, count: int) -> list[Trial]:
        """Refits whose average is the answer: recipes with as many seeds as they have votes."""
        entries = [entry for entry in self._ledger.complete if self._ledger.has_fits(entry)]
        entries = [entry for entry in entries if np.isfinite(entry.mean())]
        if best not in entries:
            return [self._ledger.trial(best.candidate, None, draw) for draw in range(count)]
        outputs = [
            [
                self._ledger.fits[self._ledger.trial(entry.candidate, fold)].outputs
                for fold in self._ledger.folds
            ]
            for entry in entries
        ]
        places = choose_members(outputs, count, self.data, self.plan.training)
        return [
            self._ledger.trial(entries[place].candidate, None, draw)
            for place, votes in sorted(Counter(places).items())
            for draw in range(votes)
        ]

    def _ablate(self, best: Entry) -> Iterator[Fit]:
        """The optimum and the optimum without each ingredient, on fresh seeds, fold by fold."""
        ingredients = list(best.candidate.differences(self.base))
        folds = self._reserve.ablation_folds(self.budget, self._cost(best), len(ingredients))
        if (folds or self._recalling) and self.budget.seconds is not None:
            folds = len(self._ledger.folds)  # the clock ends it
        without = {WHOLE: best.candidate} | {
            name: best.candidate.without(name, self.base) for name in ingredients
        }
        wanted = {
            self._ledger.trial(candidate, fold, again=True): (name, fold)
            for fold in range(folds)
            for name, candidate in without.items()
        }
        if self.budget.fits is not None:
            room = max(self.budget.fits - self._ledger.count, 0)
            wanted = dict(list(wanted.items())[: room - room % len(without)])
        try:
            yield from self._run(wanted, self._time_is_up)
        finally:
            for trial, (name, fold) in wanted.items():
                if trial in self._ledger.fits:
                    self._again.setdefault(name, {})[fold] = self._ledger.fits[trial]

    def _run(
        self, trials: Iterable[Trial], expired: Callable[[], bool] | None = None
    ) -> Iterator[Fit]:
        """Train those trials that have no fit yet."""
        new = [trial for trial in dict.fromkeys(trials) if trial not in self._ledger.fits]
        self._ledger.trials.update(dict.fromkeys(new))
        for trial in new:
            if trial in self._done:
                self._take(self._done[trial])
                self._taken_up += 1
                self._clock.take_up(self._done[trial].seconds / self._threads)
        new = [trial for trial in new if trial not in self._done]
        if not new:
            return
        if self._recalling and expired is None:
            raise _NothingMore
        self._clock.go_on()
        if self._recalling or (expired is not None and expired()):
            return
        fits = train(
            new,
            self.data,
            threads=self._threads,
            executor=self._executor,
            expired=expired,
            limit=self._limit,
        )
        for fit in fits:
            self._take(fit)
            yield fit

    def _take(self, fit: Fit) -> None:
        self._ledger.spent[fit.trial] = fit.seconds
        self._ledger.count += not self._ledger.restored(fit.trial)
        # Of a fold only losses and outputs are looked at again.
        self._ledger.fits[fit.trial] = fit if fit.trial.fold is None else fit.forget()
        self._seconds = self._clock.elapsed

    # ------------------------------------------------------------------------------ what is left

    def _time_is_up(self) -> bool:
        return self.budget.seconds is not None and self._clock.elapsed >= self.budget.seconds

    def _search_is_over(self) -> bool:
        """Whether what is left of the budget is needed for refits and ablation."""
        if self.budget.seconds is not None:
            best = self._ledger.leader() or next(
                (e for e in self._ledger.entries if e.scores), None
            )
            ready = (
                best is not None and best in self._ledger.complete and self._ledger.has_fits(best)
            )
            reserved = self._reserve.seconds(
                self.budget, self._cost(best), self._ingredients(best), done=ready
            )
            return self._clock.elapsed + reserved >= self.budget.seconds
        assert self.budget.fits is not None
        return self._ledger.count + self._reserved_fits() + self._rungs[0] > self.budget.fits

    def _reserved_fits(self) -> int:
        leader = self._ledger.leader()
        return self._reserve.fits(self.budget, self._ingredients(leader), done=leader is not None)

    def _cost(self, entry: Entry | None) -> float:
        return self._ledger.cost(entry, self._clock.elapsed, self._threads)

    def _ingredients(self, entry: Entry | None) -> int:
        return 8 if entry is None else len(entry.candidate.differences(self.base))

    @property
    def _rungs(self) -> list[int]:
        """Numbers of folds after which candidates are compared; the last is all of them."""
        folds = len(self._ledger.folds)
        rungs = [first_rung(self.data)]
        while rungs[-1] * HALVING <= folds / 2:
            rungs.append(rungs[-1] * HALVING)
        return [*rungs, folds] if rungs[-1] < folds else rungs

    @property
    def _screened(self) -> int:
        """Folds that decide which candidates go on."""
        return self._rungs[-2] if len(self._rungs) > 1 else 0

    def _about(self) -> dict[str, Any]:
        """What a stored study must agree with."""
        return {
            "table": self.data.name,
            "data": self.data.fingerprint,
            "metric": self.plan.metric,
            "seed": self.plan.seed,
            "network": str(self.plan.network),
            "training": asdict(self.plan.training),
            "penalties": [penalty.name for penalty in self.space.penalties],
        }
