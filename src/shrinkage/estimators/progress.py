"""How far a fit is, for those who set `verbose`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from shrinkage.study import Fit


class Work(Protocol):
    """Trials under way."""

    stage: str

    @property
    def expected(self) -> int:
        """Fits that it will take in all."""

    def __iter__(self) -> Iterator[Fit]:
        """Train."""


def watched(work: Work, verbose: int | bool) -> Iterable[Fit]:
    """The fits of `work`, counted on stderr while they come if `verbose` is not 0."""
    from shrinkage.terminal.progress import Pace

    pace = Pace()
    shown: AbstractContextManager[None] = nullcontext()
    if verbose:
        from shrinkage.terminal.screen import Screen

        shown = Screen().training(pace)
    with shown:
        for done, fit in enumerate(work, start=1):
            pace.update(done, work.expected, work.stage)
            yield fit
