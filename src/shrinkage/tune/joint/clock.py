"""Seconds of a search: those of this run, and those of earlier runs that it takes up."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """How long a search has taken, over all of its runs.

    While fits of earlier runs are taken up, each counts with the time that it took. As soon as
    something new is trained, all the time counts that the earlier runs took.

    Parameters
    ----------
    now : callable
        Seconds since any moment.
    before : float, default 0.0
        Seconds that earlier runs took, as far as that is known.
    """

    def __init__(self, now: Callable[[], float], before: float = 0.0) -> None:
        self._now = now
        self._before = before
        self._begun: float | None = None
        self._taken_up = 0.0
        self._goes_on = False

    def start(self) -> None:
        """This run begins, unless it has."""
        if self._begun is None:
            self._begun = self._now()

    @property
    def earlier(self) -> float:
        """Seconds of earlier runs that count by now."""
        return max(self._taken_up, self._before) if self._goes_on else self._taken_up

    @property
    def own(self) -> float:
        """Seconds of this run."""
        return 0.0 if self._begun is None else self._now() - self._begun

    @property
    def elapsed(self) -> float:
        """Seconds of all runs, as far as their fits are taken up."""
        return self.earlier + self.own

    def take_up(self, seconds: float) -> None:
        """A fit of an earlier run, with its share of the time that it took."""
        self._taken_up += seconds

    def go_on(self) -> None:
        """From here on all that earlier runs took counts."""
        self._goes_on = True
