"""`shrinkage …` in fresh processes, from the command to the report on disk."""

from __future__ import annotations

import os
import subprocess
import sys
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


BUNDLED = ("moons", "breast_cancer")
COLD_BAR, WARM_BAR = 40.0, 30.0
OWN = (("credit-g.csv", 60.0, 3), ("adult.csv.gz", 180.0, 1))
"""Tables, the seconds they may take, and how often they are run."""


def rows(effort: Effort) -> list[Row]:
    """Help; bundled tables with the engine uncompiled, then warm; tables of one's own, warm."""
    found = [_help(2 * effort.rounds)]
    if effort.quick:
        return found
    with TemporaryDirectory() as cache:
        for name in BUNDLED:
            found += _bundled(name, min(3, effort.rounds), Path(cache))
        compiled = {"NUMBA_CACHE_DIR": str(Path(cache) / BUNDLED[-1] / "0")}
        found += [
            _own(table, bar, min(rounds, effort.rounds), compiled) for table, bar, rounds in OWN
        ]
    return found


def _help(rounds: int) -> Row:
    return _row("shrinkage --help", [_run(("--help",), {}) for _ in range(rounds)], 0.5)


def _bundled(name: str, rounds: int, cache: Path) -> list[Row]:
    """Each round in a new cache of Numba's: the first run compiles, the second finds it done."""
    titles = (f"shrinkage run {name}, kernel uncompiled", f"shrinkage run {name}, warm")
    bars = (COLD_BAR, WARM_BAR)
    times: tuple[list[float], list[float]] = ([], [])
    try:
        for turn in range(rounds):
            for kind in times:
                place = {"NUMBA_CACHE_DIR": str(cache / name / str(turn))}
                kind.append(_run(("run", name), place))
    except CommandError as error:
        return [_failed(title, bar, f"it failed: {error}") for title, bar in zip(titles, bars)]
    return [_row(*each) for each in zip(titles, times, bars)]


def _own(table: str, bar: float, rounds: int, environment: dict[str, str]) -> Row:
    title = f"shrinkage run {table}, warm"
    path = TABLES / table
    if not path.exists():
        return _failed(title, bar, "not here")
    try:
        command = ("run", str(path))
        return _row(title, [_run(command, environment) for _ in range(rounds)], bar)
    except CommandError as error:
        return _failed(title, bar, f"it failed: {error}")


def _failed(title: str, bar: float, reason: str) -> Row:
    return Row(title, None, "s", bar, "at most", detail=reason)


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
