"""How far the training is: an animated bar for terminals, a line now and then for log files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task
from rich.table import Column
from rich.text import Text

STAGES = {
    "fit": "training",
    "bracket": "finding the range of λ",
    "path": "the λ path on every fold",
    "refine": "refining near the best λ",
    "refits": "refits on all training rows",
    "relax": "relaxed refits of what the penalty left",
    "baseline": "without regularization",
    "joint": "the joint search",
    "ablation": "removing one ingredient at a time",
    "capacity": "networks of every width",
    "interaction": "λ and dropout together",
    "learning-curve": "more and more rows",
    "lesson": "the lesson",
}
"""What is being trained in each stage, for people."""
_EVERY = 10.0
"""Seconds between two lines where nothing can be animated."""


class Pace:
    """Counts fits, and knows the rate and the time left.

    Parameters
    ----------
    clock : callable
        Seconds that never run backwards.
    workers : callable, default str
        Tells of the workers of a cluster, such as ``"4 workers"``; nothing where there is none.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, workers: Callable[[], str] = str
    ) -> None:
        self._clock = clock
        self.workers = workers
        self._started = clock()
        self.done = 0
        self.expected = 0
        self.stage = "bracket"

    def update(self, done: int, expected: int, stage: str) -> None:
        """Fits finished, fits that all stages will take, and the stage under way."""
        self.done, self.expected, self.stage = done, max(expected, done), stage

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._started

    @property
    def rate(self) -> str:
        """For people: ``"20.1 fits/s"``, or seconds a fit where that reads better."""
        if not self.done or self.seconds <= 0:
            return ""
        rate = self.done / self.seconds
        return f"{rate:.1f} fits/s" if rate >= 1 else f"{1 / rate:.1f} s/fit"

    @property
    def left(self) -> str:
        """For people: ``"0:12 left"``; empty before the first fit."""
        if not self.done:
            return ""
        remaining = (self.expected - self.done) * self.seconds / self.done
        return f"{clock(remaining)} left"

    @property
    def sentence(self) -> str:
        """One line for a log file."""
        counted = f"{self.done} of about {self.expected} fits"
        known = [counted, self.workers(), self.rate, self.left]
        return f"{STAGES[self.stage]}: " + ", ".join(filter(None, known))

    @property
    def summary(self) -> str:
        """What is left to say afterwards."""
        rate = f" ({self.rate})" if self.rate else ""
        return f"{self.done} fits in {clock(self.seconds)}{rate}"


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours too.

    Examples
    --------
    >>> clock(72.4), clock(3672)
    ('1:12', '1:01:12')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Words(ProgressColumn):
    """A column that says what the pace says at the moment it is drawn."""

    def __init__(self, say: Callable[[], str], style: str = "", *, right: bool = False) -> None:
        super().__init__(Column(no_wrap=True, justify="right" if right else "left"))
        self._say, self._style = say, style

    def render(self, task: Task) -> Text:  # noqa: ARG002  # the base class's signature
        """Its words now; the time left passes also between two fits."""
        return Text(self._say(), style=self._style)


class _Count(_Words):
    """Fits done and expected; it moves the bar that follows it."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(lambda: f"{pace.done}/{pace.expected} fits", right=True)
        self._pace = pace

    def render(self, task: Task) -> Text:
        """Its words now."""
        task.completed, task.total = self._pace.done, self._pace.expected or None
        return super().render(task)


@contextmanager
def bar(console: Console, pace: Pace) -> Iterator[None]:
    """An animated line that vanishes at the end."""
    progress = Progress(
        SpinnerColumn(),
        _Words(lambda: STAGES[pace.stage]),
        _Count(pace),
        BarColumn(bar_width=None),
        *([_Words(pace.workers, "cyan", right=True)] if pace.workers() else []),
        _Words(lambda: pace.rate, "cyan", right=True),
        _Words(lambda: pace.left, "cyan", right=True),
        console=console,
        transient=True,
        expand=True,
    )
    progress.add_task("training", total=None)
    with progress:
        yield


@contextmanager
def heartbeat(say: Callable[[str], None], pace: Pace, every: float = _EVERY) -> Iterator[None]:
    """A line each `every` seconds, from a thread, because a single fit may take longer."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every):
            say(pace.sentence)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
