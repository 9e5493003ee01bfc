"""A time budget on a clock of choice: the wall's, or processor time when other work shares it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.machine import cores

Clock = Callable[[], float]


def processor_seconds() -> float:
    """Processor time of this process, its threads and the children it saw end, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def per_core() -> float:
    """Processor time per core: what the wall's clock shows when all cores work for this alone."""
    return processor_seconds() / cores()


CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": per_core}


@dataclass(frozen=True)
class Budget:
    """Seconds on a clock, counted from the making of this record.

    Parameters
    ----------
    seconds : float
        To spend.
    clock : callable
        Returns seconds that only rise.
    """

    seconds: float
    clock: Clock = time.perf_counter
    begin: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin", self.clock())

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.begin

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.spent >= self.seconds
