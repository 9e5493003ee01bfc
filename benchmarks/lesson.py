"""``shrinkage lesson`` in a fresh process: its time, and what became of its claims."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import cores
from benchmarks.measure import Effort, seconds
from benchmarks.table import Row

BAR = 180.0
_SMALL = ("--seeds", "2", "--epochs", "5")


def rows(effort: Effort) -> list[Row]:
    """The whole lesson, from the command to the page on disk; the kernel is compiled before."""
    title = "shrinkage lesson, warm" + (", tiny" if effort.quick else "")
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "shrinkage", "lesson", "--json"]
        output = ["--output", str(Path(folder) / "lesson.html")]
        done: list[subprocess.CompletedProcess[str]] = []

        def run(*more: str) -> None:
            done.append(
                subprocess.run(
                    [*command, *output, *more], capture_output=True, text=True, check=False
                )
            )

        run("--only", "l2", *_SMALL)
        taken = seconds(lambda: run(*(_SMALL if effort.quick else ())))
    if done[-1].returncode:
        last = (done[-1].stderr.strip().splitlines() or ["no message"])[-1]
        return [Row(title, None, "s", BAR, "at most", detail=f"it failed: {last}")]
    told = json.loads(done[-1].stdout)
    verdicts = Counter(
        claim["verdict"] for exhibit in told["exhibits"] for claim in exhibit["claims"]
    )
    counts = ", ".join(f"{verdict}: {count}" for verdict, count in verdicts.most_common())
    return [Row(title, taken, "s", BAR, "at most", detail=f"1 process, {cores()} cores; {counts}")]
