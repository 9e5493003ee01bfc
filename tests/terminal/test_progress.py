"""Counts, rates and the time left, with a clock that the test turns."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from rich.console import Console

from shrinkage.terminal.progress import Pace, bar, heartbeat


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_pace(clock: Clock) -> None:
    pace = Pace(clock)
    pace.update(0, 300, "bracket")
    assert (pace.rate, pace.left) == ("", "")
    assert pace.sentence == "finding the range of λ: 0 of about 300 fits"
    clock.now = 10.0
    pace.update(100, 300, "path")
    assert (pace.rate, pace.left) == ("10.0 fits/s", "0:20 left")
    assert pace.sentence.startswith("the λ path on every fold: 100 of about 300 fits, 10.0 fits/s")
    assert pace.summary == "100 fits in 0:10 (10.0 fits/s)"


def test_slow_fits_are_told_in_seconds(clock: Clock) -> None:
    pace = Pace(clock)
    clock.now = 250.0
    pace.update(100, 2980, "path")
    assert (pace.rate, pace.left) == ("2.5 s/fit", "2:00:00 left")


def test_more_fits_than_expected_are_not_negative_time(clock: Clock) -> None:
    pace = Pace(clock)
    clock.now = 1.0
    pace.update(12, 10, "refits")
    assert (pace.expected, pace.left) == (12, "0:00 left")


@pytest.mark.parametrize("width", [80, 120])
def test_bar_fits_the_terminal_and_cleans_up(clock: Clock, width: int) -> None:
    pace = Pace(clock)
    clock.now = 10.0
    pace.update(100, 300, "refits")
    file = StringIO()
    console = Console(file=file, force_terminal=True, color_system=None, width=width)
    with bar(console, pace):
        pass
    drawn = max(file.getvalue().split("\n"), key=lambda line: line.count("━"))
    for words in ("refits on all training rows", "100/300 fits", "10.0 fits/s", "0:20 left"):
        assert words in drawn
    assert "\n" not in drawn
    assert file.getvalue().endswith("\x1b[1A\x1b[2K")


def test_heartbeat_speaks_while_a_fit_takes_long(clock: Clock) -> None:
    heard, spoke = [], threading.Event()

    def say(line: str) -> None:
        heard.append(line)
        spoke.set()

    pace = Pace(clock)
    pace.update(0, 7, "path")
    with heartbeat(say, pace, every=0.001):
        assert spoke.wait(timeout=30)
    after = len(heard)
    assert heard[0] == "the λ path on every fold: 0 of about 7 fits"
    assert len(heard) == after
