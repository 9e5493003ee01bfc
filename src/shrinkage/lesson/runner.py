"""Trains the jobs of all exhibits as one stream, and reads each exhibit as soon as it can."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import cast

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part
from shrinkage.engine.pool import train
from shrinkage.errors import ShrinkageError
from shrinkage.lesson.exhibited import (
    Claim,
    Exhibited,
    Job,
    LessonExhibit,
    Setting,
    Verdict,
)
from shrinkage.study import Fit, Study, Trial
from shrinkage.tune import versions

_AHEAD = 64
"""Trials in flight for each thread: training goes on while an exhibit is read, for seconds."""

Key = tuple[str, Trial, str]
"""A data set's fingerprint, a trial on it, and a digest of first weights that are not fresh."""


@dataclass(frozen=True, eq=False)
class Unread:
    """An exhibit whose fits did not suffice.

    Parameters
    ----------
    title : str
        What it was to show.
    reason : str
        Why it does not, as a sentence without its full stop.
    """

    title: str
    reason: str


@dataclass(frozen=True, eq=False)
class Taught:
    """What a lesson came to, finished or interrupted.

    Parameters
    ----------
    exhibited : tuple of Exhibited
        Finished exhibits, in the lesson's order.
    unread : tuple of Unread
        Those without enough fits, among them all after an interruption.
    setting : Setting
        How large the runs were.
    done, expected : int
        Networks trained, and planned.
    versions : dict of str to str
        Packages that made the numbers.
    """

    exhibited: tuple[Exhibited, ...]
    unread: tuple[Unread, ...]
    setting: Setting
    done: int
    expected: int
    versions: dict[str, str]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Of all exhibits."""
        return tuple(claim for one in self.exhibited for claim in one.claims)

    def count(self, verdict: Verdict) -> int:
        """Claims with this verdict."""
        return sum(claim.verdict == verdict for claim in self.claims)


class Lesson:
    """The exhibits' trainings under way: iterate to train; what is finished is kept.

    All trials of all jobs form one stream in the order of the exhibits, so that no thread waits
    for the end of a job. A trial that several exhibits ask for is trained once, and its weights are
    let go after the last of them.

    Parameters
    ----------
    exhibits : sequence of LessonExhibit
        In the lesson's order.
    setting : Setting
        How large the runs are.
    threads : int or None, default None
        Networks trained at the same time; all cores when None. Numbers do not depend on it.

    Attributes
    ----------
    exhibited : list of Exhibited
        Finished ones, in the lesson's order.
    unread : list of Unread
        Those that could not be read, and why.
    done, expected : int
        Fits trained, and to be trained in all.
    stage : str
        What is being trained, for the progress bar.
    versions : dict of str to str
        Packages that make the numbers.
    """

    def __init__(
        self,
        exhibits: Sequence[LessonExhibit],
        setting: Setting,
        *,
        threads: int | None = None,
    ) -> None:
        self.exhibited: list[Exhibited] = []
        self.unread: list[Unread] = []
        self.done = 0
        self.versions = versions()
        self.stage = "lesson"
        self._exhibits = exhibits
        self._setting = setting
        self._threads = threads
        self._jobs = [tuple(exhibit.jobs(setting)) for exhibit in exhibits]
        self._fits: dict[Key, Fit] = {}
        self._place = 0
        self._last: dict[Key, int] = {}
        self._weighed: set[Key] = set()
        self._parts: dict[Key, Part] = {}
        self._starts: dict[Key, NDArray[np.float32]] = {}
        for place, jobs in enumerate(self._jobs):
            for job in jobs:
                keys = _keys(job)
                self._last |= dict.fromkeys(keys, place)
                self._weighed.update(keys if job.weights else ())
                for key in keys:
                    self._parts.setdefault(key, job.data.part(key[1].fold))
                    if key[2]:
                        self._starts[key] = job.starts[key[1]]
        self.expected = len(self._parts)

    @property
    def sample(self) -> tuple[Data, Trial] | None:
        """Data and a trial of them, to start the engine with; None where nothing is trained."""
        for jobs in self._jobs:
            for job in jobs:
                if job.trials:
                    return job.data, job.trials[0]
        return None

    @property
    def complete(self) -> bool:
        """Whether every exhibit was read, or cannot be."""
        return self._place == len(self._exhibits)

    @property
    def taught(self) -> Taught:
        """What there is to show by now."""
        later = [
            Unread(exhibit.title, "the lesson was interrupted before it was finished")
            for exhibit in self._exhibits[self._place :]
        ]
        return Taught(
            tuple(self.exhibited),
            (*self.unread, *later),
            self._setting,
            self.done,
            self.expected,
            self.versions,
        )

    def __iter__(self) -> Generator[Fit]:
        """Train what has no fit yet; yields each fit as it finishes."""
        self._read()
        wanted = [key for key in self._parts if key not in self._fits]
        if not wanted:
            return
        # One data set whose parts are those of all jobs: an engine's fit depends on the part alone.
        every = replace(self._first_data(), parts=tuple(self._parts[key] for key in wanted))
        trials = [replace(trial, fold=place) for place, (_, trial, _) in enumerate(wanted)]
        starts = {
            trial: self._starts[key]
            for trial, key in zip(trials, wanted, strict=True)
            if key in self._starts
        }
        running = train(trials, every, threads=self._threads, starts=starts, ahead=_AHEAD)
        training = cast("Generator[Fit]", running)
        with closing(training) as fits:
            for fit in fits:
                key = wanted[cast("int", fit.trial.fold)]
                own = replace(fit, trial=key[1])
                self._fits[key] = own if key in self._weighed else own.forget()
                self.done += 1
                self._read()
                yield own

    def _first_data(self) -> Data:
        return next(job.data for jobs in self._jobs for job in jobs if job.trials)

    def _read(self) -> None:
        """Read the next exhibits whose trials are all there."""
        while not self.complete:
            jobs = self._jobs[self._place]
            if any(key not in self._fits for job in jobs for key in _keys(job)):
                return
            exhibit = self._exhibits[self._place]
            try:
                self.exhibited.append(
                    exhibit.read(self._setting, [self._study(job) for job in jobs])
                )
            except ShrinkageError as error:
                self.unread.append(Unread(exhibit.title, str(error)))
            for key in [key for key in self._fits if self._last[key] == self._place]:
                self._fits[key] = self._fits[key].forget()
            self._place += 1

    def _study(self, job: Job) -> Study:
        fits = (self._fits[key] for key in _keys(job))
        return Study.of(job.data, job.trials, fits, self.versions)


def _keys(job: Job) -> list[Key]:
    return [(job.data.fingerprint, trial, _digest(job, trial)) for trial in job.trials]


def _digest(job: Job, trial: Trial) -> str:
    start = job.starts.get(trial)
    return "" if start is None else blake2b(start.tobytes(), digest_size=16).hexdigest()
