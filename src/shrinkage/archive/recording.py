"""Trainings whose fits go into a study file as they come."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Protocol

from shrinkage.archive.writing import StudyFile
from shrinkage.study import Fit, Study, Trial


class Planned(Protocol):
    """A search: trials under way, and those planned so far in their order."""

    @property
    def stage(self) -> str:
        """What is being trained now."""

    @property
    def expected(self) -> int:
        """Fits that it will take in all."""

    @property
    def planned(self) -> Collection[Trial]:
        """Trials planned so far, in order; it only grows."""

    @property
    def study(self) -> Study:
        """What is finished."""

    def __iter__(self) -> Iterator[Fit]:
        """Train."""


class Recorded:
    """A search that is written down while it runs.

    Parameters
    ----------
    search : Planned
        What to iterate over.
    file : StudyFile
        Begun, see :meth:`StudyFile.begin`.
    weights : bool, default False
        Whether fits on folds keep their weights too.
    beside : bool, default False
        Whether its trials are none of the study's: they are kept, and not read as part of it.
    """

    def __init__(
        self, search: Planned, file: StudyFile, *, weights: bool = False, beside: bool = False
    ) -> None:
        self.search = search
        self.file = file
        self._weights = weights
        self._beside = beside
        self._written = 0

    @property
    def stage(self) -> str:
        """What is being trained now."""
        return self.search.stage

    @property
    def expected(self) -> int:
        """Fits that it will take in all."""
        return self.search.expected

    @property
    def study(self) -> Study:
        """What is finished."""
        return self.search.study

    def __iter__(self) -> Iterator[Fit]:
        """Train, yielding each fit once it waits to be written."""
        for fit in self.search:
            self.file.add(self._as_kept(fit), self._new(), self.search.stage)
            yield fit
        planned = self._new()
        if planned:
            self.file.add(None, planned, self.search.stage)

    def _new(self) -> list[Trial]:
        planned = () if self._beside else self.search.planned
        if len(planned) == self._written:
            return []
        new = list(islice(planned, self._written, None))
        self._written += len(new)
        return new

    def _as_kept(self, fit: Fit) -> Fit:
        """Of a fold mostly only losses and outputs are looked at again."""
        return fit if self._weights or fit.trial.fold is None else fit.forget()
