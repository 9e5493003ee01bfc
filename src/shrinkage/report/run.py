"""What a report says of the run that made it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType


@dataclass(frozen=True)
class RunInfo:
    """How, where and when the findings were made.

    Parameters
    ----------
    command : str
        The command line that makes them again; empty when there was none.
    seconds : mapping of str to float
        Wall-clock seconds of each stage, in order: ``{"reading": 0.2, "training": 21.0}``.
    threads : int
        That trained.
    cores : int
        Of the machine.
    platform : str
        ``"Linux 6.1, x86_64"``.
    date : datetime
        When; shown as it is given.
    python : str
        Version.
    seed : int or None
        Of everything random; None where it is not known.
    recipes : mapping of str to str
        Framework → code that applies the finding, in the order of the tabs.
    """

    command: str
    seconds: Mapping[str, float]
    threads: int
    cores: int
    platform: str
    date: datetime
    python: str
    seed: int | None
    recipes: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def here(
        command: str,
        seconds: Mapping[str, float],
        *,
        threads: int,
        seed: int | None = None,
        recipes: Mapping[str, str] = MappingProxyType({}),
    ) -> RunInfo:
        """A run on this machine that ends now.

        Parameters
        ----------
        command, seconds, threads, seed, recipes
            See there.
        """
        return RunInfo(
            command=command,
            seconds=seconds,
            threads=threads,
            cores=os.cpu_count() or 1,
            platform=f"{platform.system()} {platform.release()}, {platform.machine()}",
            date=datetime.now().astimezone(),
            python=platform.python_version(),
            seed=seed,
            recipes=recipes,
        )
