"""The joint search: candidates from Optuna in batches, halved fold by fold, within a budget."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shrinkage.data import Data
from shrinkage.engine.pool import available_threads, train, warm_up
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.scores import score, usable
from shrinkage.study import Fit, Study, Trial
from shrinkage.tune.joint.ablation import WHOLE, Floats, ablations
from shrinkage.tune.joint.budget import Budget
from shrinkage.tune.joint.candidate import Candidate
from shrinkage.tune.joint.ensemble import choose_members
from shrinkage.tune.joint.entry import Entry
from shrinkage.tune.joint.record import Joint, Tried
from shrinkage.tune.joint.reserve import Reserve
from shrinkage.tune.joint.space import Space
from shrinkage.tune.joint.storage import open_study
from shrinkage.tune.planning import Plan
from shrinkage.tune.search import versions

if TYPE_CHECKING:
    import optuna

BATCH = 8
"""Candidates asked for at a time; fixed, so that the search does not depend on the threads."""
HALVING = 3
"""Of the candidates that reach 1, 3, 9, … folds, one in so many goes on."""
_ENOUGH_ROWS = 400
"""Validation rows on which a candidate may be given up for doing worse than others."""
_RANDOM = 16
"""Candidates before the sampler begins to learn from them; the first recipes among them."""
_REFITS, _FOLDS, _AGAIN = 0, 1_000_000, 2_000_000
"""Where the seeds of refits, of folds, and of the ablations' folds begin."""


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
    threads, executor
        See :func:`shrinkage.engine.pool.train`.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.data = data
        self.plan = plan
        self.budget = budget or Budget(seconds=60.0)
        self.base = Candidate(plan.network, plan.training)
        classes, rows = data.task != "regression", data.full.train.size
        self.space = space or Space(self.base, plan.penalties, classes, rows)
        self.committee = committee
        self.stage = "baseline"
        self._threads = threads or available_threads()
        self._executor = executor
        self._clock = clock
        self._begun: float | None = None
        self._seconds = 0.0
        self._trials: dict[Trial, None] = {}
        self._fits: dict[Trial, Fit] = {}
        self._spent: dict[Trial, float] = {}
        self._count = 0
        self._entries: list[Entry] = []
        self._again: dict[str, dict[int, Fit]] = {}
        self._members: list[Trial] = []
        self._reserve = Reserve(len(data.parts), committee, plan.refits, self._threads)
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
            storage, about, maximize=self._sign > 0, first_rung=self._rungs[0], halving=HALVING
        )
        self._stores = storage is not None

    # ------------------------------------------------------------------------------ what is found

    @property
    def _sign(self) -> float:
        from shrinkage.scores import greater_is_better

        return 1.0 if greater_is_better(self.plan.metric) else -1.0

    @property
    def study(self) -> Study:
        """The base, every complete candidate and the refits; points of their own penalty and λ.

        Of candidates that share penalty and λ the best stands for all, because whoever reads the
        study knows a point by these two.
        """
        shown: dict[tuple[Any, float], Entry] = {}
        for entry in self._complete:
            point = (entry.candidate.penalty, entry.candidate.lam)
            if not self._has_fits(entry):
                continue
            if point not in shown or self._better(entry, shown[point]):
                shown[point] = entry
        trials = [self._trial(self.base, fold) for fold in self._folds]
        trials += [self._trial(e.candidate, fold) for e in shown.values() for fold in self._folds]
        leader = self._leader()
        shared = [self.base] if leader is None else [self.base, leader.candidate]
        trials += [
            trial
            for candidate in shared
            for draw in range(self.plan.refits)
            if (trial := self._trial(candidate, None, draw)) in self._trials
        ]
        names = {
            point: "the best recipe" if entry is self._leader() else f"recipe {entry.number + 1}"
            for point, entry in shown.items()
        }
        found = Study.of(self.data, dict.fromkeys(trials), self._fits.values(), versions())
        return replace(found, names=names, screened=self._screened)

    @property
    def best(self) -> Candidate | None:
        """The complete candidate with the best mean score so far."""
        best = self._leader()
        return None if best is None else best.candidate

    @property
    def joint(self) -> Joint:
        """The record of what was tried and found."""
        tried = tuple(
            Tried(
                entry.number,
                entry.candidate,
                entry.by_fold(len(self._folds)),
                complete=len(entry.scores) == len(self._folds) and np.isfinite(entry.mean()),
            )
            for entry in self._entries
        )
        leader = self._leader()
        best = next((one for one in tried if leader and one.number == leader.number), None)
        base_scores = np.array(
            [self._score_of(self._trial(self.base, fold)) for fold in self._folds]
        )
        measured = {ingredient: self._by_fold(fits) for ingredient, fits in self._again.items()}
        return Joint(
            data=self.data,
            metric=self.plan.metric,
            base=self.base,
            base_scores=base_scores,
            tried=tried,
            best=best,
            pruned_on=self._screened,
            ablations=()
            if best is None
            else ablations(best.candidate, self.base, measured, self.data, self._sign),
            members=tuple(self._fits[trial] for trial in self._members if trial in self._fits),
            fits=self._count,
            seconds=self._seconds,
            budget=self.budget,
        )

    @property
    def expected(self) -> int:
        """Fits that the whole search will take: as the budget says, or as the pace suggests."""
        if self.budget.fits is not None:
            return self.budget.fits
        assert self.budget.seconds is not None
        done, elapsed = len(self._spent), self._elapsed()
        if not done or elapsed <= 0 or self._begun is None:
            return self._reserve.least
        return max(done, round(done * max(self.budget.seconds / elapsed, 1.0)))

    # ------------------------------------------------------------------------------ what is done

    def __iter__(self) -> Iterator[Fit]:
        """Train stage after stage, yielding each fit as it finishes."""
        if self._begun is None:
            warm_up(self.data, self.plan.network, self.plan.training)
            self._begun = self._clock()
        yield from self._baseline()
        self.stage = "joint"
        yield from self._search()
        best = self._leader()
        if best is None:
            raise ShrinkageError(
                f"no recipe finished on all {len(self._folds)} folds within {self.budget}; "
                "give a larger --budget"
            )
        self.stage = "refits"
        yield from self._refit(best)
        self.stage = "ablation"
        yield from self._ablate(best)

    def _baseline(self) -> Iterator[Fit]:
        """Without regularization on every fold; the first fit tells what a fit costs."""
        trials = [self._trial(self.base, fold) for fold in self._folds]
        yield from self._run(trials[:1])
        self._check_time(trials[0])
        yield from self._run(trials[1:], self._time_is_up)
        scores = [self._score_of(trial) for trial in trials if trial in self._fits]
        if np.isnan(scores).all():
            raise SettingError(
                f"{self.plan.metric} is not defined on the validation rows of any fold; choose "
                "another --metric"
            )

    def _check_time(self, first: Trial) -> None:
        """Refuse a time in which not even one recipe can be compared."""
        if self.budget.seconds is None:
            return
        each = self._spent[first] + 1e-9
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
        while not self._entries or not self._search_is_over():
            batch = self._ask(number)
            before = len(self._spent)
            yield from self._halve(batch, first=number == 0)
            number += 1
            if self.budget.fits is not None and len(self._spent) == before and not self._stores:
                break  # what is left pays for nothing more
        yield from self._complete_one()

    def _ask(self, number: int) -> list[Entry]:
        """The next batch of candidates, or what a stored search left of one."""
        stored = [
            frozen
            for frozen in self._optuna.get_trials(deepcopy=False)
            if frozen.user_attrs.get("batch") == number
        ]
        batch = [
            Entry.stored(
                len(self._entries) + place, frozen, self._optuna, self.space.suggest(frozen)
            )
            for place, frozen in enumerate(stored)
        ]
        self._count += sum(len(entry.scores) for entry in batch)
        if len(batch) < BATCH:
            batch += [
                Entry(len(self._entries) + place, one, self.space.suggest(one))
                for place, one in enumerate(self._ask_anew(number, len(batch)), start=len(batch))
            ]
        self._entries += batch
        return batch

    def _ask_anew(self, number: int, stored: int) -> list[optuna.trial.Trial]:
        import optuna

        seed = np.random.SeedSequence((self.plan.seed, 0x0907_1A, number)).generate_state(1)[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # A new one for each batch: what it draws depends on the batch alone, so a search that
            # goes on from a file draws as one that was never interrupted.
            self._optuna.sampler = optuna.samplers.TPESampler(
                seed=int(seed),
                n_startup_trials=_RANDOM,
                multivariate=True,
                group=True,
                constant_liar=True,
            )
        if number == 0 and not self._optuna.get_trials(deepcopy=False):
            for values in self.space.first()[:BATCH]:
                self._optuna.enqueue_trial(values)
        asked = []
        for _ in range(stored, BATCH):
            one = self._optuna.ask()
            self.space.suggest(one)
            # Last, so that a stored trial with its batch has all its parameters too.
            one.set_user_attr("batch", number)
            asked.append(one)
        return asked

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
                        wanted.setdefault(self._trial(entry.candidate, fold), []).append(entry)
            yield from self._scored(wanted, expired)
            if any(len(entry.scores) < until for entry in alive):
                return  # the time is up
            # The best one first: whoever comes first has nobody to be worse than. Of the first
            # batch, which nothing can be compared with, the best third goes on.
            alive.sort(key=lambda entry: self._rank(entry, until))
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
        for fit in self._run(wanted, expired):
            self._write_down(fit.trial, wanted[fit.trial])
            yield fit
        for trial, entries in wanted.items():  # what was trained before
            if trial in self._fits:
                self._write_down(trial, entries)

    def _write_down(self, trial: Trial, entries: list[Entry]) -> None:
        for entry in entries:
            if trial.fold is not None and trial.fold not in entry.scores:
                entry.scores[trial.fold] = self._score_of(trial)
                if self._stores:
                    entry.store()

    def _rank(self, entry: Entry, folds: int) -> float:
        """Smaller is better; a candidate that diverged comes last."""
        mean = entry.mean(folds)
        return -self._sign * mean if np.isfinite(mean) else np.inf

    def _goes_on(self, entry: Entry, folds: int, *, spared: bool) -> bool:
        """Tell Optuna how a candidate did on its folds so far; whether it deserves more of them."""
        mean = entry.mean(folds)
        if not np.isfinite(mean):
            entry.tell(self._optuna, None)
            return False
        if folds == len(self._folds):
            entry.tell(self._optuna, mean)
            return False
        return entry.report(self._optuna, mean, folds, spared=spared)

    def _affordable(self, alive: list[Entry], done: int, until: int) -> list[Entry]:
        """With a budget of fits: as many of them, the best first, as it still pays for."""
        if self.budget.fits is None:
            return alive
        left = self.budget.fits - self._count - self._reserved_fits()
        found = []
        for entry in alive:  # sorted by what they are worth so far
            left -= sum(fold not in entry.scores for fold in range(done, until))
            if left < 0:
                break
            found.append(entry)
        return found

    def _complete_one(self) -> Iterator[Fit]:
        """See that the best candidate is complete, and that its fits are there."""
        leader = self._leader()
        if leader is None:  # the budget ended before any was complete
            most = max(len(entry.scores) for entry in self._entries)
            furthest = [entry for entry in self._entries if len(entry.scores) == most]
            best = min(furthest, key=lambda entry: self._rank(entry, len(self._folds)))
            yield from self._scored(
                {self._trial(best.candidate, fold): [best] for fold in self._folds}
            )
            return
        yield from self._run([self._trial(leader.candidate, fold) for fold in self._folds])
        # Of a stored search only the scores are known, but the committee needs predictions.
        others = [
            self._trial(entry.candidate, fold)
            for entry in self._complete
            if not self._has_fits(entry)
            for fold in self._folds
        ]
        yield from self._run(others, self._search_is_over if self.budget.fits is None else None)

    def _refit(self, best: Entry) -> Iterator[Fit]:
        """On every training row: the best candidate and the base, then the whole committee."""
        count = self._reserve.refits(self.budget, self._cost(best))
        self._members = self._choose_members(best, count)
        pairs = [
            self._trial(candidate, None, draw)
            for draw in range(min(self.plan.refits, count))
            for candidate in (best.candidate, self.base)
        ]
        # One network of each is the least that can be verified, whatever the time.
        yield from self._run(pairs[:2])
        rest = [
            trial
            for trial in dict.fromkeys([*self._members, *pairs[2:]])
            if trial not in self._fits
        ]
        if self.budget.fits is not None:
            rest = rest[: max(self.budget.fits - self._count, 0)]
        yield from self._run(rest, self._time_is_up)

    def _choose_members(self, best: Entry, count: int) -> list[Trial]:
        """Refits whose average is the answer: recipes with as many seeds as they have votes."""
        entries = [entry for entry in self._complete if self._has_fits(entry)]
        entries = [entry for entry in entries if np.isfinite(entry.mean())]
        if best not in entries:
            return [self._trial(best.candidate, None, draw) for draw in range(count)]
        outputs = [
            [self._fits[self._trial(entry.candidate, fold)].outputs for fold in self._folds]
            for entry in entries
        ]
        places = choose_members(outputs, count, self.data, self.plan.training)
        return [
            self._trial(entries[place].candidate, None, draw)
            for place, votes in sorted(Counter(places).items())
            for draw in range(votes)
        ]

    def _has_fits(self, entry: Entry) -> bool:
        """Of a candidate from a stored search only the scores are known."""
        return all(self._trial(entry.candidate, fold) in self._fits for fold in self._folds)

    def _ablate(self, best: Entry) -> Iterator[Fit]:
        """The optimum and the optimum without each ingredient, on fresh seeds, fold by fold."""
        ingredients = list(best.candidate.differences(self.base))
        folds = self._reserve.ablation_folds(self.budget, self._cost(best), len(ingredients))
        if folds and self.budget.seconds is not None:
            folds = len(self._folds)  # the clock ends it
        without = {WHOLE: best.candidate} | {
            name: best.candidate.without(name, self.base) for name in ingredients
        }
        wanted = {
            self._trial(candidate, fold, again=True): (name, fold)
            for fold in range(folds)
            for name, candidate in without.items()
        }
        if self.budget.fits is not None:
            room = max(self.budget.fits - self._count, 0)
            wanted = dict(list(wanted.items())[: room - room % len(without)])
        for fit in self._run(wanted, self._time_is_up):
            name, fold = wanted[fit.trial]
            self._again.setdefault(name, {})[fold] = fit
            yield fit

    def _run(
        self, trials: Iterable[Trial], expired: Callable[[], bool] | None = None
    ) -> Iterator[Fit]:
        """Train those trials that have no fit yet."""
        new = [trial for trial in dict.fromkeys(trials) if trial not in self._fits]
        self._trials.update(dict.fromkeys(new))
        fits = train(
            new, self.data, threads=self._threads, executor=self._executor, expired=expired
        )
        for fit in fits:
            self._spent[fit.trial] = fit.seconds
            self._count += not self._restored(fit.trial)
            self._fits[fit.trial] = fit if fit.trial.fold is None else fit.forget()
            self._seconds = self._elapsed()
            yield fit

    # ------------------------------------------------------------------------------ what is left

    def _elapsed(self) -> float:
        return 0.0 if self._begun is None else self._clock() - self._begun

    def _time_is_up(self) -> bool:
        return self.budget.seconds is not None and self._elapsed() >= self.budget.seconds

    def _search_is_over(self) -> bool:
        """Whether what is left of the budget is needed for refits and ablation."""
        if self.budget.seconds is not None:
            best = self._leader() or next((e for e in self._entries if e.scores), None)
            ready = best is not None and best in self._complete and self._has_fits(best)
            reserved = self._reserve.seconds(
                self.budget, self._cost(best), self._ingredients(best), done=ready
            )
            return self._elapsed() + reserved >= self.budget.seconds
        assert self.budget.fits is not None
        return self._count + self._reserved_fits() + self._rungs[0] > self.budget.fits

    def _reserved_fits(self) -> int:
        leader = self._leader()
        return self._reserve.fits(self.budget, self._ingredients(leader), done=leader is not None)

    def _ingredients(self, entry: Entry | None) -> int:
        return 8 if entry is None else len(entry.candidate.differences(self.base))

    def _cost(self, entry: Entry | None) -> float:
        """Seconds of the budget's clock that a fit of a candidate takes one thread.

        Its processor time, times what a second of that has cost so far: more than one where other
        programs or waiting threads slow it down.
        """
        candidate = self.base if entry is None else entry.candidate
        known = [
            self._spent[trial]
            for fold in self._folds
            if (trial := self._trial(candidate, fold)) in self._spent
        ]
        if not known:  # of a stored search
            known = [self._spent[trial] for trial in self._spent if trial.fold is not None]
        spent = sum(self._spent.values())
        burden = max(self._elapsed() * self._threads / spent, 1.0) if spent else 1.0
        return burden * float(np.mean(known)) if known else 0.0

    # ------------------------------------------------------------------------------ small things

    @property
    def _folds(self) -> range:
        return range(len(self.data.parts))

    @property
    def _rungs(self) -> list[int]:
        """Numbers of folds after which candidates are compared; the last is all of them."""
        folds = len(self._folds)
        rungs = [first_rung(self.data)]
        while rungs[-1] * HALVING <= folds / 2:
            rungs.append(rungs[-1] * HALVING)
        return [*rungs, folds] if rungs[-1] < folds else rungs

    @property
    def _screened(self) -> int:
        """Folds that decide which candidates go on."""
        return self._rungs[-2] if len(self._rungs) > 1 else 0

    @property
    def _complete(self) -> list[Entry]:
        return [entry for entry in self._entries if len(entry.scores) == len(self._folds)]

    def _leader(self) -> Entry | None:
        best: Entry | None = None
        for entry in self._complete:
            if np.isfinite(entry.mean()) and (best is None or self._better(entry, best)):
                best = entry
        return best

    def _better(self, one: Entry, other: Entry) -> bool:
        return bool(self._sign * (one.mean() - other.mean()) > 0)

    def _trial(
        self, candidate: Candidate, fold: int | None, draw: int = 0, *, again: bool = False
    ) -> Trial:
        # Every candidate starts a fold from the same draws: paired.
        place = _REFITS + draw if fold is None else (_AGAIN if again else _FOLDS) + fold
        seed = int(np.random.SeedSequence((self.plan.seed, place)).generate_state(1)[0])
        return candidate.trial(self.data.part(fold).n_inputs, fold, seed)

    def _restored(self, trial: Trial) -> bool:
        """Whether a fit repeats one that a stored search has counted."""
        return self._stores and any(
            trial.fold in entry.scores and trial == self._trial(entry.candidate, trial.fold)
            for entry in self._entries
        )

    def _score_of(self, trial: Trial) -> float:
        """NaN where the metric is not defined; as bad as can be where the fit diverged."""
        fit = self._fits.get(trial)
        if fit is None:
            return float("nan")
        if not usable(fit):
            return -self._sign * float("inf")
        return score(self.plan.metric, fit, self.data)

    def _by_fold(self, fits: dict[int, Fit]) -> Floats:
        scores = np.full(len(self._folds), np.nan)
        for fold, fit in fits.items():
            scores[fold] = score(self.plan.metric, fit, self.data)
        return scores

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
