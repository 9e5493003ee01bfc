"""`shrinkage …` in fresh processes, from the command to the report on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.machine import cores
from benchmarks.measure import Effort, seconds
from benchmarks.table import Row
from benchmarks.worker import ROOT

TABLES = Path(os.environ.get("SHRINKAGE_TABLES", ROOT.parent / "shared" / "data"))
"""Where tables lie that this project does not ship."""


class CommandError(Exception):
    """A run that failed; the message is the last line that it wrote."""


@dataclass(frozen=True)
class Case:
    """A command and the seconds that it may take."""

    name: str
    arguments: tuple[str, ...]
    bar: float
    rounds: int
    table: str | None = None


def cases(effort: Effort) -> list[Case]:
    few = min(3, effort.rounds)
    return [
        Case("shrinkage --help", ("--help",), 0.5, 2 * effort.rounds),
        Case("shrinkage run moons", ("run", "moons"), 30, few),
        Case("shrinkage run breast_cancer", ("run", "breast_cancer"), 30, few),
        Case("shrinkage run credit-g", ("run",), 60, few, "credit-g.csv"),
        Case("shrinkage run adult", ("run",), 180, 1, "adult.csv.gz"),
    ]


COLD = ("moons", "breast_cancer")
COLD_BAR = 40.0


def rows(effort: Effort) -> list[Row]:
    """Uncompiled, then warm."""
    if effort.quick:
        return [_timed(cases(effort)[0], {})]
    rows = [_cold(name, min(2, effort.rounds)) for name in COLD]
    return rows + [_timed(case, {}) for case in cases(effort)]


def _run(arguments: tuple[str, ...], environment: dict[str, str]) -> float:
    """Seconds of one command, in an empty folder."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "shrinkage", *arguments]
        if arguments[0] == "run":
            command += ["--output", str(Path(folder) / "report.html")]
        done: list[subprocess.CompletedProcess[str]] = []

        def work() -> None:
            done.append(
                subprocess.run(
                    command,
                    cwd=folder,
                    env=os.environ | environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            )

        taken = seconds(work)
        if done[0].returncode:
            lines = (done[0].stderr or done[0].stdout).strip().splitlines()
            raise CommandError(lines[-1] if lines else f"exit code {done[0].returncode}")
        return taken


def _cold(name: str, rounds: int) -> Row:
    """With the engine not yet compiled: Numba keeps its cache in a folder that is new."""
    title = f"shrinkage run {name}, kernel uncompiled"
    times = []
    try:
        for _ in range(rounds):
            with TemporaryDirectory() as cache:
                times.append(_run(("run", name), {"NUMBA_CACHE_DIR": cache}))
    except CommandError as error:
        return Row(title, None, "s", COLD_BAR, "at most", detail=f"it failed: {error}")
    return _row(title, times, COLD_BAR)


def _timed(case: Case, environment: dict[str, str]) -> Row:
    arguments = case.arguments
    if case.table is not None:
        path = TABLES / case.table
        if not path.exists():
            return Row(
                case.name, None, "s", case.bar, "at most", detail=f"{case.table} is not here"
            )
        arguments = (*arguments, str(path))
    try:
        if case.arguments[0] == "run" and case.table is None:
            _run(("--help",), environment)
        times = [_run(arguments, environment) for _ in range(case.rounds)]
    except CommandError as error:
        return Row(case.name, None, "s", case.bar, "at most", detail=f"it failed: {error}")
    return _row(case.name, times, case.bar)


def _row(title: str, times: list[float], bar: float) -> Row:
    count = f"{len(times)} fresh process" + ("es" if len(times) > 1 else "")
    return Row(
        title,
        median(times),
        "s",
        bar,
        "at most",
        spread=(min(times), max(times)) if len(times) > 1 else None,
        detail=f"{count}, {cores()} cores",
    )
