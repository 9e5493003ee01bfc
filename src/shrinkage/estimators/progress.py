"""How far a fit is, for those who set `verbose`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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


def watched(
    work: Work,
    verbose: int | bool,
    listen: Callable[[Callable[[int], None] | None], None] | None = None,
) -> Iterable[Fit]:
    """The fits of `work`, counted on stderr while they come if `verbose` is not 0.

    Parameters
    ----------
    work : Work
        To be trained.
    verbose : int or bool
        Whether to show anything.
    listen : callable, optional
        Where many fits end together: takes a function that wants to be told how much is done of
        those under way, in whole fits; None ends it.
    """
    if not verbose:
        yield from work
        return
    from shrinkage.terminal.progress import Pace
    from shrinkage.terminal.screen import Screen

    pace, done = Pace(), 0

    def told(under_way: int) -> None:
        pace.update(done + under_way, work.expected, work.stage)

    if listen is not None:
        listen(told)
    try:
        with Screen().training(pace):
            for done, fit in enumerate(work, start=1):
                pace.update(done, work.expected, work.stage)
                yield fit
    finally:
        if listen is not None:
            listen(None)
