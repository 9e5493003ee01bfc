"""Rounds, medians and ratios."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Contestant = Callable[[], float]
"""Does its work once and returns what it measured: seconds, or a rate."""


@dataclass(frozen=True)
class Effort:
    """How thorough to be: rounds for each comparison, and whether only to see that all runs."""

    rounds: int = 5
    quick: bool = False

    def size(self, full: int, quick: int) -> int:
        """A size for this effort."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Ratio:
    """Quotient of two medians; of the two best rounds; the least and largest of a round.

    On a machine with other work the quotient of the best rounds is the one to look at.
    """

    value: float
    best: float
    spread: tuple[float, float]


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def interleaved(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, list[float]]:
    """Every contestant once in each round, so that a busy spell of the machine meets them all."""
    results: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds):
        names = list(contestants)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            results[name].append(contestants[name]())
            time.sleep(0.05)  # threads of the last one that still wait actively go to sleep
    return results


def of_rates(above: list[float], below: list[float]) -> Ratio:
    """A quotient of rates, where more is better."""
    return _ratio(above, below, max)


def of_times(above: list[float], below: list[float]) -> Ratio:
    """A quotient of times, where less is better."""
    return _ratio(above, below, min)


def _ratio(above: list[float], below: list[float], better: Callable[[list[float]], float]) -> Ratio:
    single = [a / b for a, b in zip(above, below, strict=True)]
    return Ratio(
        median(above) / median(below), better(above) / better(below), (min(single), max(single))
    )
