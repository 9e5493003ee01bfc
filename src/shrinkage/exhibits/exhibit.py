"""What an exhibit is: a question of its own, the trials that answer it, and the record they give.

An exhibit is a frozen dataclass with its settings. Its trials are trained by a :class:`Series`;
what it reads from the finished fits is a record that every view shows: a table, sentences with
their numbers, and plain values for machines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from shrinkage.data import Data
from shrinkage.engine.limits import stands
from shrinkage.engine.pool import train
from shrinkage.network import Network
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Study, Trial
from shrinkage.training import Training
from shrinkage.tune import versions

_FOLDS_FROM = 1_000_000
"""Seeds of folds count from here, those of refits from 0, as in :class:`shrinkage.tune.Search`."""


@dataclass(frozen=True, eq=False)
class Basis:
    """What every exhibit starts from.

    Parameters
    ----------
    data : Data
        The table.
    network : Network
        With the inputs of the full training part. An exhibit may change its hidden layers.
    training : Training
        How each trial is trained, but for what the exhibit varies.
    seed : int, default 0
        Of everything random.
    choice : (Penalty, float) or None, default None
        Penalty and λ that a search recommended before; None when there was none.
    """

    data: Data
    network: Network
    training: Training
    seed: int = 0
    choice: tuple[Penalty, float] | None = None

    @property
    def folds(self) -> range:
        """Indices of the folds of all repeats."""
        return range(len(self.data.parts))

    def trial(
        self,
        fold: int | None,
        draw: int = 0,
        *,
        hidden: tuple[int, ...] | None = None,
        penalty: Penalty | None = None,
        lam: float = 0.0,
        rows: int | None = None,
        **training: Any,
    ) -> Trial:
        """A trial on a fold, or refit number `draw` on every training row.

        Parameters
        ----------
        fold : int or None
            Index into :attr:`Data.parts`; None for a refit.
        draw : int, default 0
            Which of several refits. Ignored on folds.
        hidden : tuple of int, optional
            Instead of the network's own hidden layers.
        penalty, lam, rows
            As in :class:`Trial`.
        **training
            Fields of :class:`Training` that differ from the basis.

        Returns
        -------
        Trial
            Its seed depends on the fold (or draw) alone, so that trials on one fold are paired,
            and trials that a search ran already are the same trial.
        """
        place = draw if fold is None else _FOLDS_FROM + fold
        seed = int(np.random.SeedSequence((self.seed, place)).generate_state(1)[0])
        network = replace(self.network, inputs=self.data.part(fold).n_inputs)
        if hidden is not None:
            network = replace(network, hidden=hidden)
        how = replace(self.training, **training) if training else self.training
        return Trial(network, how, penalty, lam, fold, seed, rows)


@dataclass(frozen=True)
class Table:
    """A record's numbers, written for people.

    Parameters
    ----------
    columns : tuple of str
        Headings with their units; the first column names the row.
    rows : tuple of tuple of str
        As many cells as columns.
    chosen : int or None, default None
        Row to point out.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    chosen: int | None = None


class Record(Protocol):
    """What an exhibit found; a frozen dataclass."""

    @property
    def name(self) -> str:
        """The exhibit's name: ``"capacity"``."""

    @property
    def headline(self) -> str:
        """The point, in one short sentence without its full stop."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings, each with a number, its unit and an interval."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing or was left out."""

    @property
    def table(self) -> Table:
        """The numbers behind the sentences."""

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for machines; numbers need not be finite."""


class Exhibit(Protocol):
    """A question with its settings; a frozen dataclass."""

    @property
    def name(self) -> str:
        """As on the command line: ``"learning-curve"``."""

    @property
    def title(self) -> str:
        """What it is about, for people: ``"Capacity: how wide a network should be"``."""

    @property
    def needs_weights(self) -> bool:
        """Whether :meth:`read` looks at the weights of fits on folds; else they are let go."""

    def trials(self, basis: Basis) -> Iterable[Trial]:
        """Everything to train, ordered so that an interruption leaves something to read.

        Raises
        ------
        ShrinkageError
            When the data cannot answer the question.
        """

    def read(self, study: Study) -> Record:
        """The record of the finished fits, a pure function of them; some may be missing.

        Raises
        ------
        ShrinkageError
            When too few are finished to say anything.
        """


@runtime_checkable
class Staged(Protocol):
    """An exhibit whose first trials tell which others to plan."""

    def further(self, basis: Basis, study: Study) -> Iterable[Trial]:
        """What to train after the trials of `study`; nothing new when all are planned."""

    def later(self, basis: Basis) -> int:
        """How many trials :meth:`further` will ask for, before it can be asked."""


class Series:
    """An exhibit's trials under way: iterate to train; :attr:`study` is what is finished so far.

    Iteration may be given up at any time; iterating again goes on where it stopped.

    Parameters
    ----------
    exhibit : Exhibit
        Whose trials.
    basis : Basis
        What they start from.
    known : iterable of Fit, default ()
        Fits of a search before; trials among them are not trained again.
    threads, executor, limit
        See :func:`shrinkage.engine.pool.train`.
    """

    def __init__(
        self,
        exhibit: Exhibit,
        basis: Basis,
        *,
        known: Iterable[Fit] = (),
        threads: int | None = None,
        executor: Executor | None = None,
        limit: float | None = None,
    ) -> None:
        self.exhibit = exhibit
        self.stage = exhibit.name
        self._basis = basis
        self._trials = dict.fromkeys(exhibit.trials(basis))
        self._given = {
            fit.trial: fit
            for fit in known
            if stands(fit, limit) and (fit.parameters.size or not exhibit.needs_weights)
        }
        self._later = exhibit.later(basis) if isinstance(exhibit, Staged) else 0
        self._fits: dict[Trial, Fit] = {}
        self._known = 0
        self._how: dict[str, Any] = {"threads": threads, "executor": executor, "limit": limit}
        self._take()

    def _take(self) -> None:
        """Fits of before that the trials now ask for."""
        taken = [trial for trial in self._trials if trial in self._given]
        self._fits.update((trial, self._given.pop(trial)) for trial in taken)
        self._known += len(taken)

    @property
    def expected(self) -> int:
        """Fits that have to be trained in all; a guess while some are not planned yet."""
        return len(self._trials) - self._known + self._later

    @property
    def before(self) -> int:
        """Fits that were known before and are asked for."""
        return self._known

    @property
    def planned(self) -> Collection[Trial]:
        """Trials planned so far, in order."""
        return self._trials.keys()

    @property
    def study(self) -> Study:
        """Everything finished so far, in the order of the trials."""
        return Study.of(self._basis.data, self._trials, self._fits.values(), versions())

    def __iter__(self) -> Iterator[Fit]:
        """Train what has no fit yet, yielding each fit as it finishes."""
        forgets = not self.exhibit.needs_weights
        while True:
            new = [trial for trial in self._trials if trial not in self._fits]
            data = self._basis.data
            for fit in train(new, data, **self._how):
                forgotten = forgets and fit.trial.fold is not None
                self._fits[fit.trial] = fit.forget() if forgotten else fit
                yield fit
            if not self._further():
                return

    def recall(self) -> None:
        """Take up what is known, and train nothing."""
        while self._trials.keys() <= self._fits.keys() and self._further():
            pass

    def _further(self) -> bool:
        """Plan what follows from the fits so far; whether there is any."""
        if not isinstance(self.exhibit, Staged):
            return False
        planned = len(self._trials)
        self._trials.update(dict.fromkeys(self.exhibit.further(self._basis, self.study)))
        self._later = 0
        self._take()
        return len(self._trials) > planned


@dataclass(frozen=True, eq=False)
class Shown:
    """An exhibit alone, with what its record rests on.

    Parameters
    ----------
    record : Record
        What was found.
    title : str
        What it is about.
    basis : Basis
        What its trials started from.
    study : Study
        The trials and their fits; some may be missing.
    """

    record: Record
    title: str
    basis: Basis
    study: Study
